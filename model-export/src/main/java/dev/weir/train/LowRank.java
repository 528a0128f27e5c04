package dev.weir.train;

/**
 * A change of a matrix that is the product of two small ones. Immutable by contract; any thread.
 *
 * @param rows of the matrix that is changed
 * @param columns of the matrix that is changed
 * @param rank columns of {@code a} and rows of {@code b}
 * @param a {@code [rows, rank]}
 * @param b {@code [rank, columns]}, scaled
 */
@SuppressWarnings("ArrayRecordComponent") // on their way into a file or a matrix, never compared
record LowRank(int rows, int columns, int rank, float[] a, float[] b) {
    LowRank {
        if (a.length != Math.multiplyExact(rows, rank) || b.length != Math.multiplyExact(rank, columns)) {
            throw new IllegalArgumentException(a.length + " and " + b.length + " values are not [" + rows + ", " + rank
                    + "] and [" + rank + ", " + columns + "]");
        }
    }

    /** Adds the product to a matrix, {@code [rows, columns]}. */
    void addTo(float[] matrix) {
        for (int row = 0; row < rows; row++) {
            for (int k = 0; k < rank; k++) {
                float factor = a[row * rank + k];
                if (factor == 0) {
                    continue; // most of them where the matrix is a table of tokens
                }
                for (int column = 0; column < columns; column++) {
                    matrix[row * columns + column] += factor * b[k * columns + column];
                }
            }
        }
    }

    /** A matrix {@code [rows, columns]} with its rows as columns, each value times {@code scale}. */
    static float[] transposed(float[] matrix, int rows, int columns, double scale) {
        float[] result = new float[matrix.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                result[column * rows + row] = (float) (matrix[row * columns + column] * scale);
            }
        }
        return result;
    }
}
