package dev.weir.engine;

import java.nio.FloatBuffer;

/**
 * Unnormalised next-token scores of one step, {@code [rows, vocabularySize]} row-major. A view of the runner's own memory,
 * valid on the engine thread until the next run.
 *
 * <p>Row {@code r} below {@link ModelShape#slots()} belongs to decode row {@code r}; row {@code slots + c} to prefill
 * chunk {@code c} of the plan. Rows that the plan did not ask for hold anything.
 *
 * @param values the scores, read with absolute gets
 * @param vocabularySize scores per row
 */
public record Logits(FloatBuffer values, int vocabularySize) {
    /** Index of the first score of a row. */
    public int offset(int row) {
        return row * vocabularySize;
    }
}
