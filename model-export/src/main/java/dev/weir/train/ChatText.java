package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Conversations to tune a model on: the targets are the assistant's tokens alone. Each block is one conversation from its first
 * token on, as the server will see it; those of a batch have about one length. Owned by the training thread.
 */
final class ChatText implements BlockSource {
    private final List<ChatExample> training;
    private final List<ChatExample> heldOut;
    private final Tokenizer tokenizer;
    private final Part part;
    private @Nullable Epoch epoch;

    /** The batches of one time through the conversations, kept for the next step. */
    private record Epoch(long seed, long number, int blocks, List<List<ChatExample>> batches) {}

    ChatText(String name, List<ChatExample> training, List<ChatExample> heldOut, Tokenizer tokenizer) {
        this.training = List.copyOf(training);
        this.heldOut = List.copyOf(heldOut);
        this.tokenizer = tokenizer;
        part = new Part(name, tokens(training), tokens(heldOut), 1);
    }

    /**
     * Writes the conversations of a file with a template; the last ones are held out.
     *
     * @throws UserError if the template refuses one, naming the line, or too few fit the context
     */
    static ChatText encode(ChatFile file, double heldOut, ChatEncoder encoder, Tokenizer tokenizer) {
        List<Optional<ChatExample>> encoded = IntStream.range(
                        0, file.conversations().size())
                .parallel()
                .mapToObj(i -> encode(file, i, encoder))
                .toList();
        int first = (int) Math.round(encoded.size() * (1 - heldOut));
        List<ChatExample> training =
                encoded.subList(0, first).stream().flatMap(Optional::stream).toList();
        List<ChatExample> last = encoded.subList(first, encoded.size()).stream()
                .flatMap(Optional::stream)
                .toList();
        if (training.isEmpty() || last.isEmpty()) {
            throw new UserError(String.format(
                    Locale.ROOT,
                    "--train is %s, of whose %,d conversations %,d to train on and %,d to validate on fit the model's "
                            + "context: give more of them, or change --held-out",
                    file.file().file(),
                    encoded.size(),
                    training.size(),
                    last.size()));
        }
        return new ChatText(String.valueOf(file.file().file().getFileName()), training, last, tokenizer);
    }

    private static Optional<ChatExample> encode(ChatFile file, int index, ChatEncoder encoder) {
        ChatConversation conversation = file.conversations().get(index);
        try {
            return encoder.encode(conversation);
        } catch (IllegalArgumentException e) {
            throw new UserError(file.file().file() + ", line " + conversation.line() + ": " + e.getMessage(), e);
        }
    }

    /** How many there are; those of which nothing fits the context were left out. */
    int conversations() {
        return training.size() + heldOut.size();
    }

    @Override
    public TokenBatch trainingBatch(long seed, long number, int blocks, int length) {
        int steps = EpochOrder.steps(training.size(), blocks);
        long wanted = number / steps;
        Epoch current = epoch;
        if (current == null || current.seed != seed || current.number != wanted || current.blocks != blocks) {
            List<List<ChatExample>> batches =
                    EpochOrder.batches(training, ChatExample::length, blocks, seed, (int) wanted + 1);
            current = new Epoch(seed, wanted, blocks, batches);
            epoch = current;
        }
        return batch(current.batches.get((int) (number % steps)));
    }

    @Override
    public List<TokenBatch> validationBatches(int blocks, int length, int most) {
        int chosen = Math.min(most, heldOut.size());
        List<ChatExample> spread = IntStream.range(0, chosen)
                .mapToObj(i -> heldOut.get((int) ((long) i * heldOut.size() / chosen)))
                .sorted(Comparator.comparingInt(ChatExample::length))
                .toList();
        List<TokenBatch> batches = new ArrayList<>();
        for (int first = 0; first < chosen; first += blocks) {
            batches.add(batch(spread.subList(first, Math.min(first + blocks, chosen))));
        }
        return batches;
    }

    private TokenBatch batch(List<ChatExample> examples) {
        int length = examples.stream().mapToInt(ChatExample::length).max().orElseThrow();
        int count =
                examples.stream().mapToInt(example -> example.places().length).sum();
        long[] ids = new long[examples.size() * length];
        long[] places = new long[count];
        long[] targets = new long[count];
        long bytes = 0;
        int found = 0;
        for (int row = 0; row < examples.size(); row++) {
            ChatExample example = examples.get(row);
            int start = row * length;
            for (int i = 0; i < example.length(); i++) {
                ids[start + i] = example.ids()[i];
            }
            for (int place : example.places()) {
                int target = example.ids()[place + 1];
                places[found] = (long) start + place;
                targets[found++] = target;
                bytes += tokenizer.isSpecial(target) ? 0 : tokenizer.bytes(target).length;
            }
        }
        return new TokenBatch(ids, places, targets, examples.size(), length, bytes);
    }

    @Override
    public List<Part> parts() {
        return List.of(part);
    }

    @Override
    public double tokensPerBlock(int length) {
        return (double) part.trainingTokens() / training.size();
    }

    @Override
    public String describe() {
        return String.format(
                Locale.ROOT,
                "%,d training conversations of %,d tokens, %,d of them answers, and %,d held-out ones of %,d tokens",
                training.size(),
                part.trainingTokens(),
                training.stream().mapToLong(example -> example.places().length).sum(),
                heldOut.size(),
                part.heldOutTokens());
    }

    private static long tokens(List<ChatExample> examples) {
        return examples.stream().mapToLong(ChatExample::length).sum();
    }
}
