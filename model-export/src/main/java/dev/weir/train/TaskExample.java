package dev.weir.train;

/**
 * An example of a task as a model reads it. Immutable by contract; any thread.
 *
 * @param sequences of tokens: one, or a similarity's two orders, or one for each choice
 * @param target index of the label or of the choice, or a number
 * @param cut whether it was too long for the context
 */
@SuppressWarnings("ArrayRecordComponent") // on its way to a tensor, never compared
record TaskExample(int[][] sequences, double target, boolean cut) {
    int label() {
        return (int) target;
    }

    int longest() {
        int longest = 0;
        for (int[] sequence : sequences) {
            longest = Math.max(longest, sequence.length);
        }
        return longest;
    }
}
