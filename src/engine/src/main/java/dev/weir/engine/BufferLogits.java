package dev.weir.engine;

import java.nio.FloatBuffer;

/**
 * Scores in memory that the CPU reads, {@code [rows, vocabularySize]} row-major.
 *
 * @param values the scores, read with absolute gets
 * @param vocabularySize scores per row
 */
public record BufferLogits(FloatBuffer values, int vocabularySize) implements Logits {
    /** Index of the first score of a row. */
    public int offset(int row) {
        return row * vocabularySize;
    }

    @Override
    public void read(int row, float[] scores) {
        values.get(offset(row), scores, 0, vocabularySize);
    }
}
