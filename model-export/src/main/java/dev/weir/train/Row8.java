package dev.weir.train;

/**
 * A weight matrix in eight bits: {@code weight ~ value * scale} with one scale per output, symmetric about zero.
 *
 * <p>The other half of the scheme is in the graph: each token's activations are scaled by their own largest magnitude
 * just before the multiplication, so that a row's result depends on that row alone, whatever else is in the batch. A
 * scale for the whole batch would be faster and would let requests change each other's answers.
 *
 * @param values {@code [rows, columns]}, each from -127 to 127
 * @param scales one per column or one per row, as quantised
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier between two methods, never compared
record Row8(byte[] values, float[] scales) implements Quantised {
    private static final int MAX = 127;

    /** Quantises {@code [rows, columns]} with a scale per column: a layer's weights, multiplied from the right. */
    static Row8 perColumn(float[] weights, int rows, int columns) {
        float[] scales = new float[columns];
        for (int i = 0; i < weights.length; i++) {
            scales[i % columns] = Math.max(scales[i % columns], Math.abs(weights[i]));
        }
        return quantise(weights, columns, scales, true, rows);
    }

    /** Quantises {@code [rows, columns]} with a scale per row: an embedding table, whose rows are looked up. */
    static Row8 perRow(float[] weights, int rows, int columns) {
        float[] scales = new float[rows];
        for (int i = 0; i < weights.length; i++) {
            scales[i / columns] = Math.max(scales[i / columns], Math.abs(weights[i]));
        }
        return quantise(weights, columns, scales, false, rows);
    }

    private static Row8 quantise(float[] weights, int columns, float[] scales, boolean perColumn, int rows) {
        if (weights.length != Math.multiplyExact(rows, columns)) {
            throw new IllegalArgumentException(weights.length + " weights are not [" + rows + ", " + columns + "]");
        }
        for (int i = 0; i < scales.length; i++) {
            // A column of zeros stays zeros under any scale but 0, which would divide by zero.
            scales[i] = scales[i] == 0 ? 1 : scales[i] / MAX;
        }
        byte[] values = new byte[weights.length];
        for (int i = 0; i < weights.length; i++) {
            float scale = scales[perColumn ? i % columns : i / columns];
            values[i] = (byte) Math.clamp(Math.round(weights[i] / scale), -MAX, MAX);
        }
        return new Row8(values, scales);
    }
}
