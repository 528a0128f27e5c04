package dev.weir.train;

/** Tensors as half floats, IEEE 754's binary16. Static functions; any thread. */
final class HalfFloats {
    private static final float LARGEST = 65504;

    private HalfFloats() {}

    /**
     * A tensor's values as little-endian half floats.
     *
     * @throws UserError if one is too large, naming the tensor
     */
    static byte[] bytes(String name, float[] values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, Short.BYTES)];
        ParallelRanges.forEach(values.length, (start, end) -> {
            for (int i = start; i < end; i++) {
                short half = Float.floatToFloat16(values[i]);
                if (Float.isInfinite(Float.float16ToFloat(half))) {
                    throw new UserError("--precision is fp16, but \"" + name + "\" has a weight of " + values[i]
                            + " and half floats end at " + LARGEST
                            + ": choose fp32 or int8, which are for --target cpu");
                }
                bytes[2 * i] = (byte) half;
                bytes[2 * i + 1] = (byte) (half >> 8);
            }
        });
        return bytes;
    }
}
