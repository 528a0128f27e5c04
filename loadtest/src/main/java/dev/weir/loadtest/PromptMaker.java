package dev.weir.loadtest;

import dev.weir.protocol.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/**
 * A maker of prompts of a wanted length in tokens. Owner: the main thread, before the run.
 *
 * <p>The prompts of a run differ from their first words on, so that a server's prefix cache does not answer for its
 * prefill. For completions they are token ids and exact; as text they are fitted with the server's own tokeniser where
 * it offers one, and estimated from the number of words where it does not.
 */
final class PromptMaker {

    /** How the length was settled, for the report's head. */
    enum Precision {
        EXACT,
        FITTED,
        ESTIMATED
    }

    /** The prompts and how far their length can be trusted. */
    record Made(List<Prompt> prompts, Precision precision) {}

    private static final List<String> WORDS = List.of(
            "time", "house", "water", "light", "story", "green", "small", "garden", "walked", "under", "river",
            "morning", "little", "door", "friend", "found", "over", "town", "bird", "song", "winter", "road", "stone",
            "hand", "looked", "never", "again", "tree", "night", "answer", "carried", "slowly", "window", "paper",
            "blue", "far");
    private static final double USUAL_TOKENS_PER_WORD = 1.3;
    private static final int FITTING_ROUNDS = 8;
    /** Ids that are ordinary tokens in every vocabulary in use: past the special ones, before the end of the bytes. */
    private static final int SAFE_FROM = 10;

    private static final int SAFE_TO = 250;

    private final Function<String, Optional<List<Integer>>> tokenizer;
    private final RandomGenerator random;

    /** @param tokenizer the server's, which answers nothing if it does not tokenise for clients */
    PromptMaker(Function<String, Optional<List<Integer>>> tokenizer, long seed) {
        this.tokenizer = tokenizer;
        this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    /** Prompts of token ids: exactly {@code tokens} each. */
    Made ids(int tokens, int count) {
        List<Integer> vocabulary = tokenizer
                .apply(String.join(" ", WORDS))
                .map(ids -> ids.stream().distinct().toList())
                .orElseGet(() -> IntStream.range(SAFE_FROM, SAFE_TO).boxed().toList());
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            prompts.add(new Prompt.Tokens(IntStream.range(0, tokens)
                    .map(_ -> vocabulary.get(random.nextInt(vocabulary.size())))
                    .toArray()));
        }
        return new Made(prompts, Precision.EXACT);
    }

    /** Prompts of text: about {@code tokens} each. */
    Made texts(int tokens, int count) {
        List<Prompt> prompts = new ArrayList<>();
        Precision precision = Precision.FITTED;
        double tokensPerWord = USUAL_TOKENS_PER_WORD;
        for (int i = 0; i < count; i++) {
            List<String> words = new ArrayList<>();
            int wanted = Math.max(1, (int) Math.round(tokens / tokensPerWord));
            String text = text(words, wanted);
            Optional<List<Integer>> ids = precision == Precision.FITTED ? tokenizer.apply(text) : Optional.empty();
            if (ids.isEmpty()) {
                precision = Precision.ESTIMATED;
                prompts.add(new Prompt.Text(text));
                continue;
            }
            int size = ids.get().size();
            int nearest = Math.abs(size - tokens);
            String best = text;
            for (int round = 0; round < FITTING_ROUNDS && nearest > 0; round++) {
                tokensPerWord = Math.max(0.1, size / (double) wanted);
                int step = (int) Math.round((tokens - size) / tokensPerWord);
                wanted = Math.max(1, wanted + (step != 0 ? step : Integer.signum(tokens - size)));
                text = text(words, wanted);
                size = tokenizer.apply(text).map(List::size).orElse(size);
                if (Math.abs(size - tokens) < nearest) {
                    nearest = Math.abs(size - tokens);
                    best = text;
                }
            }
            prompts.add(new Prompt.Text(best));
        }
        return new Made(prompts, precision);
    }

    /** The first {@code count} of these words, with new ones drawn as needed, so that refitting keeps the beginning. */
    private String text(List<String> words, int count) {
        while (words.size() < count) {
            words.add(WORDS.get(random.nextInt(WORDS.size())));
        }
        return String.join(" ", words.subList(0, count));
    }
}
