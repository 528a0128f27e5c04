package dev.weir.engine;

/**
 * Unnormalised next-token scores of one step. A view of the runner's own memory, valid until the next run. The engine thread's, but for
 * reading.
 *
 * <p>Row {@code r} below {@link ModelShape#slots()} belongs to decode row {@code r}; row {@code slots + c} to prefill
 * chunk {@code c} of the plan. Rows that the plan did not ask for hold anything.
 *
 * <p>A runner whose scores lie in a device's memory may rank the largest of each row there: most tokens are chosen from
 * those, and then no row has to leave the device. Where any token may be drawn, the sum of a row's weights, which it may add up
 * too, tells mostly that it is a ranked one.
 */
public interface Logits {
    /** Scores per row. */
    int vocabularySize();

    /**
     * Brings rows near that are about to be read: several threads may do so then.
     *
     * @param count how many of them are meant, from the first on
     */
    default void load(int[] rows, int count) {}

    /** Copies a row's scores to the first {@link #vocabularySize} places. On the engine thread, or on any if the row is loaded. */
    void read(int row, float[] scores);

    /** Whether {@link #sum} can be called. */
    default boolean addsUp() {
        return false;
    }

    /**
     * Adds up the weights of all tokens of some rows, of each row {@code e^((score - largest score) inverse)}. On the engine thread.
     *
     * @param count how many rows are meant, from the first on
     * @param sums where they go; not a number where a score is none
     */
    default void sum(int[] rows, float[] inverses, int count, float[] sums) {
        throw new IllegalStateException("nothing is added up");
    }

    /** How many of each row's largest scores are ranked; 0 if none are. */
    default int ranked() {
        return 0;
    }

    /** The token with the row's largest score, rank 0, or one of the next, below {@link #ranked}. */
    default int rankedToken(int row, int rank) {
        throw new IllegalStateException("nothing is ranked");
    }

    /** The score of {@link #rankedToken}. */
    default float rankedScore(int row, int rank) {
        throw new IllegalStateException("nothing is ranked");
    }
}
