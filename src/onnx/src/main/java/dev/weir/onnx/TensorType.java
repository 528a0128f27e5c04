package dev.weir.onnx;

import java.util.Arrays;
import java.util.Locale;

/**
 * What a graph's input or output is. Immutable by contract; any thread.
 *
 * @param element a number of {@code ONNXTensorElementDataType}
 * @param dims -1 where a size is not fixed
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record TensorType(int element, long[] dims) {
    static final int FLOAT = 1;
    static final int UINT8 = 2;
    static final int INT8 = 3;
    static final int INT32 = 6;
    static final int INT64 = 7;
    static final int FLOAT16 = 10;
    static final int BFLOAT16 = 16;

    /** The name of an element's type. */
    static String name(int element) {
        return switch (element) {
            case FLOAT -> "FLOAT";
            case UINT8 -> "UINT8";
            case INT8 -> "INT8";
            case INT32 -> "INT32";
            case INT64 -> "INT64";
            case FLOAT16 -> "FLOAT16";
            case BFLOAT16 -> "BFLOAT16";
            default -> "number " + element + " of ONNXTensorElementDataType";
        };
    }

    /** Bytes of an element of one of the types that have a name here. */
    static int bytes(int element) {
        return switch (element) {
            case UINT8, INT8 -> Byte.BYTES;
            case FLOAT16, BFLOAT16 -> Short.BYTES;
            case FLOAT, INT32 -> Integer.BYTES;
            case INT64 -> Long.BYTES;
            default -> throw new IllegalArgumentException("no size is known of " + name(element));
        };
    }

    @Override
    public String toString() {
        return name(element).toLowerCase(Locale.ROOT) + Arrays.toString(dims);
    }
}
