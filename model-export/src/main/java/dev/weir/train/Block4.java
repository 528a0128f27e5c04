package dev.weir.train;

/**
 * A weight matrix in four bits, laid out as ONNX Runtime's {@code MatMulNBits} reads it: the inputs of each output in blocks
 * of 32 with a scale each, {@code weight ~ (value - 8) * scale}. The last block is filled up with zeros.
 *
 * <p>Of several scales a block gets the one that leaves the least squared error, since with so few steps the one that just
 * holds the largest weight is seldom the best.
 *
 * @param values {@code [outputs, blocks, 16]}, two values in a byte, the earlier one in the lower half
 * @param scales {@code [outputs, blocks]}; may be negative
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier between two methods, never compared
record Block4(byte[] values, float[] scales) implements Quantised {
    /** Inputs that share a scale. */
    static final int SIZE = 32;
    /** Bytes of a block's values. */
    static final int BYTES = SIZE / 2;

    private static final int ZERO = 8;
    private static final int LEAST = -8;
    private static final int MOST = 7;
    /** Steps that the largest weight of a block may be away from zero, of which the best is chosen. */
    private static final float[] LARGEST = {-8f, -8.5f, -7.5f, -9f, -7f, -9.5f, -6.5f};

    /** Quantises {@code [rows, columns]}, the weights of a layer: rows are inputs, columns are outputs. */
    static Block4 perColumn(float[] weights, int rows, int columns) {
        return quantise(weights, new Layout(rows, columns, columns, 1));
    }

    /** Quantises {@code [rows, columns]}, an embedding table: rows are outputs, columns are inputs. */
    static Block4 perRow(float[] weights, int rows, int columns) {
        return quantise(weights, new Layout(columns, rows, 1, columns));
    }

    /** The weights {@code [rows, columns]} that a matrix from {@link #perColumn} stands for. */
    float[] columns(int rows, int columns) {
        return weights(new Layout(rows, columns, columns, 1));
    }

    /** The weights {@code [rows, columns]} that a matrix from {@link #perRow} stands for. */
    float[] rows(int rows, int columns) {
        return weights(new Layout(columns, rows, 1, columns));
    }

    /** Blocks of one output. */
    static int blocks(int inputs) {
        return Math.ceilDiv(inputs, SIZE);
    }

    /** Bytes of a matrix with its scales. */
    static long bytes(long inputs, long outputs) {
        return outputs * Math.ceilDiv(inputs, SIZE) * (BYTES + Float.BYTES);
    }

    /** Where the weight from an input to an output lies in an array. */
    private record Layout(int inputs, int outputs, int inputStride, int outputStride) {
        int index(int input, int output) {
            return input * inputStride + output * outputStride;
        }
    }

    private static Block4 quantise(float[] weights, Layout layout) {
        if (weights.length != Math.multiplyExact(layout.inputs, layout.outputs)) {
            throw new IllegalArgumentException(
                    weights.length + " weights are not " + layout.inputs + " inputs of " + layout.outputs + " outputs");
        }
        int blocks = blocks(layout.inputs);
        byte[] values = new byte[Math.multiplyExact(layout.outputs * blocks, BYTES)];
        float[] scales = new float[layout.outputs * blocks];
        float[] block = new float[SIZE];
        for (int i = 0; i < scales.length; i++) {
            int output = i / blocks;
            int first = i % blocks * SIZE;
            for (int j = 0; j < SIZE; j++) {
                block[j] = first + j < layout.inputs ? weights[layout.index(first + j, output)] : 0;
            }
            float step = bestStep(block);
            scales[i] = bestScale(block, step);
            for (int j = 0; j < BYTES; j++) {
                int low = rounded(block[2 * j], step) + ZERO;
                int high = rounded(block[2 * j + 1], step) + ZERO;
                values[i * BYTES + j] = (byte) (low | high << 4);
            }
        }
        return new Block4(values, scales);
    }

    /** The step, of those tried, after rounding by which the block can be told best from its values. */
    private static float bestStep(float[] block) {
        float largest = 0;
        for (float weight : block) {
            largest = Math.abs(weight) > Math.abs(largest) ? weight : largest;
        }
        float best = 0;
        double bestExplained = -1;
        for (float position : LARGEST) {
            float step = largest / position;
            double product = 0;
            double squares = 0;
            for (float weight : block) {
                int value = rounded(weight, step);
                product += (double) weight * value;
                squares += (double) value * value;
            }
            double explained = squares == 0 ? 0 : product * product / squares;
            if (explained > bestExplained) {
                best = step;
                bestExplained = explained;
            }
        }
        return best;
    }

    /** The scale that leaves the least squared error once values are what they are. */
    private static float bestScale(float[] block, float step) {
        double product = 0;
        double squares = 0;
        for (float weight : block) {
            int value = rounded(weight, step);
            product += (double) weight * value;
            squares += (double) value * value;
        }
        return squares == 0 ? 1 : (float) (product / squares);
    }

    private static int rounded(float weight, float step) {
        return step == 0 ? 0 : Math.clamp(Math.round(weight / step), LEAST, MOST);
    }

    private float[] weights(Layout layout) {
        float[] weights = new float[layout.inputs * layout.outputs];
        int blocks = blocks(layout.inputs);
        for (int output = 0; output < layout.outputs; output++) {
            for (int input = 0; input < layout.inputs; input++) {
                int block = output * blocks + input / SIZE;
                int pair = values[block * BYTES + input % SIZE / 2];
                int value = (input % 2 == 0 ? pair : pair >> 4) & 0xF;
                weights[layout.index(input, output)] = (value - ZERO) * scales[block];
            }
        }
        return weights;
    }
}
