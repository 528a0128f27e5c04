package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Locale;

/** The floats of sixteen bits that weights are stored as. Immutable; any thread. */
enum HalfFloats {
    /** IEEE 754's binary16: eleven significant bits, and numbers up to 65,504. */
    FP16(DataType.FLOAT16, 65504, "fp32 or int8, which are for --target cpu, or bf16, which is for --target cuda"),
    /** The upper half of a float32 ("bfloat16"): eight significant bits, and nearly all of its range. */
    BF16(DataType.BFLOAT16, 0x1.FEp127f, "fp32 or int8, which are for --target cpu");

    /** Bits of a float32 that bfloat16 has not. */
    private static final int DROPPED = 16;

    private static final short BF16_NAN = 0x7FC0;

    private final DataType type;
    private final float largest;
    private final String otherwise;

    HalfFloats(DataType type, float largest, String otherwise) {
        this.type = type;
        this.largest = largest;
        this.otherwise = otherwise;
    }

    /** Their type in a graph. */
    DataType type() {
        return type;
    }

    /** The name of the precision. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The nearest one, of two as near the even one; beyond the largest infinity. */
    short narrow(float value) {
        return switch (this) {
            case FP16 -> Float.floatToFloat16(value);
            case BF16 -> {
                int bits = Float.floatToRawIntBits(value);
                int last = (bits >>> DROPPED) & 1;
                yield Float.isNaN(value) ? BF16_NAN : (short) ((bits + 0x7FFF + last) >>> DROPPED);
            }
        };
    }

    /** What one of them means. */
    float widen(short half) {
        return switch (this) {
            case FP16 -> Float.float16ToFloat(half);
            case BF16 -> Float.intBitsToFloat(half << DROPPED);
        };
    }

    /** Rounds all values, in place. */
    float[] round(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = widen(narrow(values[i]));
        }
        return values;
    }

    /**
     * A tensor's values, rounded, little-endian.
     *
     * @throws UserError if one is too large or no number, naming the tensor
     */
    byte[] bytes(String name, float[] values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, Short.BYTES)];
        ParallelRanges.forEach(values.length, (start, end) -> {
            for (int i = start; i < end; i++) {
                short half = narrow(values[i]);
                if (!Float.isFinite(widen(half))) {
                    throw refused(name, values[i]);
                }
                bytes[2 * i] = (byte) half;
                bytes[2 * i + 1] = (byte) (half >> 8);
            }
        });
        return bytes;
    }

    private UserError refused(String name, float value) {
        String what = "--precision is " + label() + ", but \"" + name + "\" has a weight of " + value;
        return new UserError(
                Float.isNaN(value)
                        ? what + ", which no precision holds: export a checkpoint without it"
                        : what + " and " + label() + " ends at " + largest + ": choose " + otherwise);
    }
}
