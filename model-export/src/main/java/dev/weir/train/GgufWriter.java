package dev.weir.train;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A GGUF file in the making, version 3 of llama.cpp's format: name the metadata and the tensors, then write them all at once.
 * Each tensor is asked for when its turn comes, so that one at a time lies in Java's memory. Owned by one thread.
 */
final class GgufWriter {
    /** Tensors begin at multiples of so many bytes, the format's default. */
    static final int ALIGNMENT = 32;

    private static final int VERSION = 3;
    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final Map<String, byte[]> metadata = new LinkedHashMap<>();
    private final List<Tensor> tensors = new ArrayList<>();

    /** How a tensor's elements are stored, by ggml's number for it. */
    enum Type {
        F32(0, 1, Float.BYTES),
        Q8_0(8, Block8.SIZE, Block8.BYTES);

        private final int number;
        private final int blockElements;
        private final int blockBytes;

        Type(int number, int blockElements, int blockBytes) {
            this.number = number;
            this.blockElements = blockElements;
            this.blockBytes = blockBytes;
        }

        long bytes(long elements) {
            return elements / blockElements * blockBytes;
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // read here only, never compared
    private record Tensor(String name, long[] shape, Type type, Supplier<byte[]> values) {
        long bytes() {
            return type.bytes(GptConfig.elements(shape));
        }
    }

    GgufWriter text(String key, String value) {
        return put(key, new Bytes().number(STRING).string(value));
    }

    GgufWriter number(String key, int value) {
        return put(key, new Bytes().number(UINT32).number(value));
    }

    GgufWriter number(String key, float value) {
        return put(key, new Bytes().number(FLOAT32).number(Float.floatToRawIntBits(value)));
    }

    GgufWriter flag(String key, boolean value) {
        return put(key, new Bytes().number(BOOL).octet(value ? 1 : 0));
    }

    GgufWriter texts(String key, List<String> values) {
        Bytes bytes = new Bytes().number(ARRAY).number(STRING).count(values.size());
        values.forEach(bytes::string);
        return put(key, bytes);
    }

    GgufWriter numbers(String key, int[] values) {
        Bytes bytes = new Bytes().number(ARRAY).number(INT32).count(values.length);
        for (int value : values) {
            bytes.number(value);
        }
        return put(key, bytes);
    }

    /**
     * Adds a tensor.
     *
     * @param shape the fastest dimension first, which is the other way round than in row-major notation
     */
    GgufWriter tensor(String name, long[] shape, Type type, Supplier<byte[]> values) {
        tensors.add(new Tensor(name, shape.clone(), type, values));
        return this;
    }

    /**
     * Writes the file whole or not at all, replacing one of that name.
     *
     * @throws IOException if it cannot be written
     */
    void write(Path path) throws IOException {
        byte[] header = header();
        AtomicFile.write(path, channel -> {
            writeAligned(channel, header);
            for (Tensor tensor : tensors) {
                byte[] values = tensor.values.get();
                if (values.length != tensor.bytes()) {
                    throw new IllegalStateException("tensor \"" + tensor.name + "\" has " + values.length
                            + " bytes, its shape says " + tensor.bytes());
                }
                writeAligned(channel, values);
            }
        });
    }

    private byte[] header() {
        Bytes bytes = new Bytes()
                .octets("GGUF".getBytes(StandardCharsets.US_ASCII))
                .number(VERSION)
                .count(tensors.size())
                .count(metadata.size());
        metadata.forEach((key, value) -> bytes.string(key).octets(value));
        long offset = 0;
        for (Tensor tensor : tensors) {
            bytes.string(tensor.name).number(tensor.shape.length);
            for (long size : tensor.shape) {
                bytes.count(size);
            }
            bytes.number(tensor.type.number).count(offset);
            offset += aligned(tensor.bytes());
        }
        return bytes.toByteArray();
    }

    private GgufWriter put(String key, Bytes value) {
        if (metadata.putIfAbsent(key, value.toByteArray()) != null) {
            throw new IllegalArgumentException("\"" + key + "\" is given twice");
        }
        return this;
    }

    private static void writeAligned(FileChannel channel, byte[] values) throws IOException {
        ByteBuffer padding = ByteBuffer.allocate((int) (aligned(values.length) - values.length));
        for (ByteBuffer bytes : new ByteBuffer[] {ByteBuffer.wrap(values), padding}) {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
    }

    private static long aligned(long bytes) {
        return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    }

    /** Little-endian values one after the other. */
    private static final class Bytes extends ByteArrayOutputStream {
        Bytes octet(int value) {
            write(value);
            return this;
        }

        Bytes octets(byte[] values) {
            writeBytes(values);
            return this;
        }

        Bytes number(int value) {
            return octets(ByteBuffer.allocate(Integer.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(value)
                    .array());
        }

        Bytes count(long value) {
            return octets(LittleEndian.bytes(value));
        }

        Bytes string(String value) {
            byte[] text = value.getBytes(StandardCharsets.UTF_8);
            return count(text.length).octets(text);
        }
    }
}
