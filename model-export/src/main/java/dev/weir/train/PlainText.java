package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.util.Arrays;

/**
 * A text without a task, on which it shows how much of its language a model has forgotten. Immutable by contract; any thread.
 *
 * @param source where it comes from, in words
 * @param tokens of it
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PlainText(String source, int[] tokens, Tokenizer tokenizer) {
    private static final int PARALLEL = 32;

    PlainText {
        if (tokens.length < 2) {
            throw new UserError(source + " has " + tokens.length
                    + " tokens, too few to measure forgetting on: give --text with a longer one");
        }
    }

    /** The last tokens of a text, as many as are quickly scored. */
    static PlainText endOf(String source, String text, Tokenizer tokenizer, int most) {
        // A token stands for one character at least, but most stand for several: enough text for most tokens, and
        // little more.
        String end = text.substring(Math.max(0, text.length() - 16 * most));
        int[] tokens = tokenizer.encode(end, true);
        int[] last = Arrays.copyOfRange(tokens, Math.max(0, tokens.length - most), tokens.length);
        return new PlainText(source, last, tokenizer);
    }

    /** A model's loss on it in nats per token, the one that eval reports. */
    double loss(GptModel model) {
        LibtorchScorer scorer = new LibtorchScorer(model, PARALLEL);
        return TextScore.of(scorer, tokens, tokenizer, scorer.context(), _ -> {})
                .loss();
    }
}
