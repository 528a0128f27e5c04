package dev.weir.train;

import java.util.function.DoubleUnaryOperator;

/**
 * Positions as rotations: element i of a query or key and element i + half of it are turned by the token's position times
 * a frequency, {@code theta^(-2 i / head size)} (Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding",
 * 2021). For contexts longer than those first trained on, Llama 3 divides the low frequencies by a factor and leaves the high
 * ones as they are, with a ramp between them. Immutable; any thread.
 *
 * @param theta the base of the frequencies
 * @param factor what low frequencies are divided by; 1 for none
 * @param lowFrequency turns in the original context below which a frequency is low
 * @param highFrequency turns in the original context above which it is high
 * @param originalContext tokens of the context first trained on
 */
record RotaryPositions(double theta, double factor, double lowFrequency, double highFrequency, int originalContext) {
    /** Cosines {@code [context, head size / 2]}, row-major. */
    float[] cosines(int context, int headSize) {
        return table(context, headSize, Math::cos);
    }

    /** Sines {@code [context, head size / 2]}, row-major. */
    float[] sines(int context, int headSize) {
        return table(context, headSize, Math::sin);
    }

    private float[] table(int context, int headSize, DoubleUnaryOperator function) {
        int half = headSize / 2;
        float[] table = new float[context * half];
        for (int i = 0; i < half; i++) {
            double frequency = frequency(i, headSize);
            for (int position = 0; position < context; position++) {
                table[position * half + i] = (float) function.applyAsDouble(position * frequency);
            }
        }
        return table;
    }

    /** Radians a token of one pair of elements. */
    double frequency(int pair, int headSize) {
        double frequency = Math.pow(theta, -2.0 * pair / headSize);
        double turns = originalContext * frequency / (2 * Math.PI);
        double kept = Math.clamp((turns - lowFrequency) / (highFrequency - lowFrequency), 0, 1);
        return frequency * (kept + (1 - kept) / factor);
    }
}
