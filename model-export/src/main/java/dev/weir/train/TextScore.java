package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * How well a model predicts a text. Immutable; any thread.
 *
 * <p>The text is cut into windows of the model's context. With a stride of the context they lie side by side, and each token
 * but the first of the text is predicted from those before it in its window. With a smaller stride they overlap, and of
 * each but the first only the tokens past the one before are scored, which then have at least context less stride tokens to go by.
 *
 * @param tokens how many were predicted
 * @param bytes of text that these stand for
 * @param nats how surprising they were in all
 * @param stride tokens from one window to the next
 */
record TextScore(long tokens, long bytes, double nats, int stride) {
    /** Windows that are handed to the model at once. */
    private static final int GROUP = 64;

    /**
     * Scores a text.
     *
     * @param tokens the text in the order in which the model reads
     * @param progress is told how many tokens have been scored
     */
    static TextScore of(Scorer scorer, int[] tokens, Tokenizer tokenizer, int stride, LongConsumer progress) {
        int context = scorer.context();
        if (stride < 1 || stride > context) {
            throw new UserError("--stride is " + stride + ": it must be from 1 to the model's context, " + context);
        }
        if (tokens.length < 2) {
            throw new UserError("--data has " + tokens.length + " tokens, too few to predict one from another");
        }
        double nats = 0;
        long scored = 0;
        List<Scorer.Window> group = new ArrayList<>();
        int done = 1; // The first token has nothing to be predicted from.
        for (int start = 0; done < tokens.length; start += stride) {
            int end = (int) Math.min((long) start + context + 1, tokens.length);
            group.add(new Scorer.Window(Arrays.copyOfRange(tokens, start, end), done - start));
            scored += end - done;
            done = end;
            if (group.size() == GROUP || done == tokens.length) {
                for (double score : scorer.score(group)) {
                    nats -= score;
                }
                group.clear();
                progress.accept(scored);
            }
        }
        long bytes = 0;
        for (int i = 1; i < tokens.length; i++) {
            bytes += tokenizer.bytes(tokens[i]).length;
        }
        return new TextScore(scored, bytes, nats, stride);
    }

    /** Nats per token. */
    double loss() {
        return nats / tokens;
    }

    /** How many equally likely tokens would be as surprising. */
    double perplexity() {
        return Math.exp(loss());
    }

    /** What models with different tokenizers can be compared by. */
    double bitsPerByte() {
        return nats / Math.log(2) / bytes;
    }
}
