package dev.weir.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The byte order of ONNX files: arrays to little-endian bytes. Static functions; any thread. */
final class LittleEndian {
    private LittleEndian() {}

    static byte[] bytes(float... values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, Float.BYTES)];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
        return bytes;
    }

    static byte[] bytes(int... values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, Integer.BYTES)];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(values);
        return bytes;
    }

    static byte[] bytes(long... values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, Long.BYTES)];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(values);
        return bytes;
    }
}
