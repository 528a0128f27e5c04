package dev.weir.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A small GGUF file read back for tests, by the format's description alone. Owned by one thread. */
final class GgufFile {
    final Map<String, Object> metadata = new LinkedHashMap<>();
    final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final ByteBuffer bytes;
    private final long data;

    /** The fastest dimension first; type is ggml's number. */
    record Tensor(List<Long> shape, int type, long offset) {}

    GgufFile(Path path) throws IOException {
        bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[4];
        bytes.get(magic);
        if (!new String(magic, StandardCharsets.US_ASCII).equals("GGUF") || bytes.getInt() != 3) {
            throw new IOException("not a GGUF file of version 3");
        }
        long tensorCount = bytes.getLong();
        long entries = bytes.getLong();
        for (long i = 0; i < entries; i++) {
            metadata.put(string(), value(bytes.getInt()));
        }
        for (long i = 0; i < tensorCount; i++) {
            String name = string();
            List<Long> shape = new ArrayList<>();
            int dimensions = bytes.getInt();
            for (int d = 0; d < dimensions; d++) {
                shape.add(bytes.getLong());
            }
            tensors.put(name, new Tensor(shape, bytes.getInt(), bytes.getLong()));
        }
        data = (bytes.position() + 31L) / 32 * 32;
    }

    /** The tensor's values as floats, whatever they are stored as, the fastest dimension first. */
    float[] floats(String name) {
        Tensor tensor = tensors.get(name);
        float[] values = new float[elements(tensor)];
        int start = Math.toIntExact(data + tensor.offset);
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.type == 0
                    ? bytes.getFloat(start + 4 * i)
                    : scale(name, i) * bytes.get(start + i / 32 * 34 + 2 + i % 32);
        }
        return values;
    }

    /** The scale of a Q8_0 tensor's element. */
    float scale(String name, int element) {
        Tensor tensor = tensors.get(name);
        if (tensor.type != 8) {
            throw new IllegalStateException(name + " has no scales");
        }
        return Float.float16ToFloat(bytes.getShort(Math.toIntExact(data + tensor.offset) + element / 32 * 34));
    }

    /** Where the file should end: after the last tensor, filled up. */
    long end() {
        Tensor last = List.copyOf(tensors.values()).getLast();
        long length = last.type == 0 ? 4L * elements(last) : elements(last) / 32 * 34L;
        return data + last.offset + (length + 31) / 32 * 32;
    }

    private static int elements(Tensor tensor) {
        return Math.toIntExact(tensor.shape.stream().reduce(1L, Math::multiplyExact));
    }

    private Object value(int type) {
        return switch (type) {
            case 4, 5 -> bytes.getInt();
            case 6 -> bytes.getFloat();
            case 7 -> bytes.get() == 1;
            case 8 -> string();
            case 9 -> {
                int element = bytes.getInt();
                long count = bytes.getLong();
                List<Object> values = new ArrayList<>();
                for (long i = 0; i < count; i++) {
                    values.add(value(element));
                }
                yield values;
            }
            default -> throw new IllegalStateException("a value of type " + type);
        };
    }

    private String string() {
        byte[] text = new byte[Math.toIntExact(bytes.getLong())];
        bytes.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
