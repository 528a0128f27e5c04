package dev.weir.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Weights in eight bits as ggml's {@code Q8_0} has them: blocks of 32 along a row, each a half-float scale and 32 signed bytes,
 * {@code weight ~ value * scale}. Static functions; any thread.
 *
 * <p>Values are rounded with the scale as it is stored, so that no weight is off by more than half of it.
 */
final class Block8 {
    /** Weights that share a scale. */
    static final int SIZE = 32;
    /** Bytes of a block. */
    static final int BYTES = Short.BYTES + SIZE;

    private static final int MAX = 127;

    private Block8() {}

    /**
     * Quantises rows whose length 32 divides, laid out one after the other.
     *
     * @param name what the tensor is called, for errors
     * @throws UserError if a weight is too large for a half-float scale
     */
    static byte[] quantise(String name, float[] weights) {
        if (weights.length % SIZE != 0) {
            throw new IllegalArgumentException(weights.length + " weights are not blocks of " + SIZE);
        }
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(weights.length / SIZE, BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int start = 0; start < weights.length; start += SIZE) {
            float largest = 0;
            for (int i = start; i < start + SIZE; i++) {
                largest = Math.max(largest, Math.abs(weights[i]));
            }
            short half = halfScale(largest);
            float scale = Float.float16ToFloat(half);
            if (!Float.isFinite(scale)) {
                throw new UserError("\"" + name + "\" has a weight of magnitude " + largest
                        + ", too large for eight bits in blocks: choose --precision fp32");
            }
            bytes.putShort(half);
            for (int i = start; i < start + SIZE; i++) {
                bytes.put((byte) (scale == 0 ? 0 : Math.clamp(Math.round(weights[i] / scale), -MAX, MAX)));
            }
        }
        return bytes.array();
    }

    /** The least half float of which 127 and a half reach that far. */
    private static short halfScale(float largest) {
        short half = Float.floatToFloat16(largest / MAX);
        return Float.float16ToFloat(half) * (MAX + 0.5f) < largest ? (short) (half + 1) : half;
    }
}
