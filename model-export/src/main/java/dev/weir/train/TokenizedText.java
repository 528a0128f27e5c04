package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** Token ids to train and validate on, served as blocks. Immutable; any thread. */
final class TokenizedText {
    private final int[] training;
    private final int[] validation;
    private final int[] bytesOfToken;

    TokenizedText(int[] training, int[] validation, Tokenizer tokenizer) {
        this.training = training;
        this.validation = validation;
        bytesOfToken = new int[tokenizer.vocabularySize()];
        for (int id = 0; id < bytesOfToken.length; id++) {
            bytesOfToken[id] = tokenizer.bytes(id).length;
        }
    }

    /**
     * Blocks of neighbouring tokens, and for each token the one after it.
     *
     * @param ids [blocks, length], row-major
     * @param targets [blocks, length], row-major
     */
    @SuppressWarnings("ArrayRecordComponent") // on its way to a tensor, never compared
    record Batch(long[] ids, long[] targets, int blocks, int length) {}

    /**
     * Blocks at random places of the training text. The places depend on the seed and the numbers alone, so that a resumed run
     * sees what an uninterrupted one would have seen.
     */
    Batch trainingBatch(long seed, long number, int blocks, int length) {
        SplittableRandom random = new SplittableRandom(Seeds.mix(seed, number));
        Batch batch = new Batch(new long[blocks * length], new long[blocks * length], blocks, length);
        for (int block = 0; block < blocks; block++) {
            int start = random.nextInt(training.length - length);
            copy(training, start, batch, block);
        }
        return batch;
    }

    /**
     * The validation text in blocks side by side, so that each token but the first is predicted once.
     *
     * @param blocks blocks of one batch; the last block of all may be shorter and comes alone
     * @param most the most blocks in all, evenly spread over the text
     */
    List<Batch> validationBatches(int blocks, int length, int most) {
        int whole = (validation.length - 1) / length;
        int chosen = Math.min(whole, most);
        List<Batch> batches = new ArrayList<>();
        for (int first = 0; first < chosen; first += blocks) {
            int size = Math.min(blocks, chosen - first);
            Batch batch = new Batch(new long[size * length], new long[size * length], size, length);
            for (int block = 0; block < size; block++) {
                int index = (int) ((long) (first + block) * whole / chosen);
                copy(validation, index * length, batch, block);
            }
            batches.add(batch);
        }
        int rest = validation.length - 1 - whole * length;
        if (rest > 0 && whole < most) {
            Batch batch = new Batch(new long[rest], new long[rest], 1, rest);
            copy(validation, whole * length, batch, 0);
            batches.add(batch);
        }
        return batches;
    }

    private static void copy(int[] tokens, int start, Batch batch, int block) {
        int offset = block * batch.length;
        for (int i = 0; i < batch.length; i++) {
            batch.ids[offset + i] = tokens[start + i];
            batch.targets[offset + i] = tokens[start + i + 1];
        }
    }

    /** How many bytes of text a batch's targets stand for. */
    long targetBytes(Batch batch) {
        long bytes = 0;
        for (long target : batch.targets) {
            bytes += bytesOfToken[(int) target];
        }
        return bytes;
    }

    /** How much there is, for messages. */
    String describe() {
        return String.format(Locale.ROOT, "%,d training and %,d held-out tokens", training.length, validation.length);
    }

    int trainingTokens() {
        return training.length;
    }
}
