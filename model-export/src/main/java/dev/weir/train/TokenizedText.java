package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.SplittableRandom;

/** Token ids of one text or several to train and validate on, served as blocks. Immutable; any thread. */
final class TokenizedText implements BlockSource {
    private final List<Source> sources;
    private final int[] bytesOfToken;

    /**
     * The tokens of one text.
     *
     * @param name of its file
     * @param share of the blocks trained on that are drawn from it; those of all texts add up to 1
     * @param addedEnd the token that ends documents, where no bytes of the text stand for it
     */
    record Source(String name, TokenIds training, TokenIds heldOut, double share, OptionalInt addedEnd) {}

    /** One text that spells its ends of documents. */
    TokenizedText(int[] training, int[] heldOut, Tokenizer tokenizer) {
        this(List.of(new Source("", TokenIds.of(training), TokenIds.of(heldOut), 1, OptionalInt.empty())), tokenizer);
    }

    TokenizedText(List<Source> sources, Tokenizer tokenizer) {
        this.sources = List.copyOf(sources);
        bytesOfToken = new int[tokenizer.vocabularySize()];
        for (int id = 0; id < bytesOfToken.length; id++) {
            bytesOfToken[id] = tokenizer.bytes(id).length;
        }
    }

    List<Source> sources() {
        return sources;
    }

    @Override
    public List<Part> parts() {
        return sources.stream()
                .map(source -> new Part(
                        source.name(),
                        source.training().length(),
                        source.heldOut().length(),
                        source.share()))
                .toList();
    }

    @Override
    public double tokensPerBlock(int length) {
        return length;
    }

    /** Blocks of neighbouring tokens at random places of the texts to train on, with the token after each as its target. */
    @Override
    public TokenBatch trainingBatch(long seed, long number, int blocks, int length) {
        SplittableRandom random = new SplittableRandom(Seeds.mix(seed, number));
        Filler filler = new Filler(blocks, length);
        for (int block = 0; block < blocks; block++) {
            Source source = sources.size() == 1 ? sources.getFirst() : draw(random.nextDouble());
            long places = source.training.length() - length;
            // Two ways to draw a number: files that fit into an int are drawn from as ever, so that old runs can go on.
            long start = places <= Integer.MAX_VALUE ? random.nextInt((int) places) : random.nextLong(places);
            filler.add(source, source.training, start);
        }
        return filler.batch();
    }

    private Source draw(double point) {
        double left = point;
        for (Source source : sources) {
            left -= source.share;
            if (left < 0) {
                return source;
            }
        }
        return sources.getLast();
    }

    /**
     * The held-out texts in blocks side by side, so that each token but the first of a text is predicted once.
     * The last block of a text may be shorter and comes alone. Each text has its share of the blocks, evenly spread over it.
     */
    @Override
    public List<TokenBatch> validationBatches(int blocks, int length, int most) {
        List<TokenBatch> batches = new ArrayList<>();
        for (Source source : sources) {
            int quota = sources.size() == 1 ? most : (int) Math.max(1, Math.round(most * source.share));
            addValidationBatches(source, blocks, length, quota, batches);
        }
        return batches;
    }

    private void addValidationBatches(Source source, int blocks, int length, int most, List<TokenBatch> batches) {
        TokenIds heldOut = source.heldOut;
        long whole = (heldOut.length() - 1) / length;
        int chosen = (int) Math.min(whole, most);
        for (int first = 0; first < chosen; first += blocks) {
            int size = Math.min(blocks, chosen - first);
            Filler filler = new Filler(size, length);
            for (int block = 0; block < size; block++) {
                filler.add(source, heldOut, (first + block) * whole / chosen * length);
            }
            batches.add(filler.batch());
        }
        int rest = (int) (heldOut.length() - 1 - whole * length);
        if (rest > 0 && whole < most) {
            Filler filler = new Filler(1, rest);
            filler.add(source, heldOut, whole * length);
            batches.add(filler.batch());
        }
    }

    /** Fills a batch block by block. */
    private final class Filler {
        private final int length;
        private final long[] ids;
        private final long[] targets;
        private int block;
        private long targetBytes;

        Filler(int blocks, int length) {
            this.length = length;
            ids = new long[blocks * length];
            targets = new long[blocks * length];
        }

        void add(Source source, TokenIds tokens, long start) {
            int offset = block * length;
            for (int i = 0; i < length; i++) {
                int target = tokens.at(start + i + 1);
                ids[offset + i] = tokens.at(start + i);
                targets[offset + i] = target;
                boolean added = source.addedEnd.isPresent() && source.addedEnd.getAsInt() == target;
                targetBytes += added ? 0 : bytesOfToken[target];
            }
            block++;
        }

        TokenBatch batch() {
            return new TokenBatch(ids, targets, block, length, targetBytes);
        }
    }

    @Override
    public String describe() {
        return String.format(
                Locale.ROOT,
                "%,d training and %,d held-out tokens",
                trainingTokens(),
                sources.stream().mapToLong(source -> source.heldOut.length()).sum());
    }
}
