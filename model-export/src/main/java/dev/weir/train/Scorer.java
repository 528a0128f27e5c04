package dev.weir.train;

import java.util.List;

/** A model that says how likely texts are. Used by one thread; closed by whoever opened it. */
interface Scorer extends AutoCloseable {
    /** Tokens that the model sees at once. */
    int context();

    /** Number of token ids. */
    int vocabularySize();

    /** Log-probability, in nats, of the scored tokens of each window. */
    double[] score(List<Window> windows);

    @Override
    void close();

    /**
     * A stretch of a text of which some tokens are scored, each given all before it in the stretch.
     *
     * @param tokens at most one more than the context, since the last one is only predicted
     * @param from index of the first scored token, at least 1
     */
    @SuppressWarnings("ArrayRecordComponent") // on its way to a model, never compared
    record Window(int[] tokens, int from) {
        public Window {
            if (from < 1 || from >= tokens.length) {
                throw new IllegalArgumentException(
                        "a window of " + tokens.length + " tokens cannot be scored from token " + from);
            }
        }

        int scored() {
            return tokens.length - from;
        }
    }
}
