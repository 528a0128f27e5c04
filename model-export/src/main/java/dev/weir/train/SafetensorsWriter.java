package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A safetensors file in the making: name the tensors, then write them all at once. Each is asked for when its turn comes, so
 * that one at a time lies in Java's memory. Owned by one thread.
 */
final class SafetensorsWriter {
    private static final int CHUNK = 1 << 18;

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    @SuppressWarnings("ArrayRecordComponent") // read here only, never compared
    private record Tensor(long[] shape, Supplier<float[]> values) {}

    SafetensorsWriter add(String name, long[] shape, Supplier<float[]> values) {
        if (tensors.putIfAbsent(name, new Tensor(shape.clone(), values)) != null) {
            throw new IllegalArgumentException("tensor \"" + name + "\" is given twice");
        }
        return this;
    }

    /** Adds every tensor of a model. */
    SafetensorsWriter addAll(GptWeights weights) {
        weights.tensorShapes().forEach((name, shape) -> add(name, shape, () -> weights.tensor(name)));
        return this;
    }

    SafetensorsWriter note(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /**
     * Writes the file whole or not at all, replacing one of that name.
     *
     * @throws IOException if it cannot be written
     */
    void write(Path path) throws IOException {
        ByteBuffer header = header();
        AtomicFile.write(path, channel -> {
            writeFully(channel, header);
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
                float[] values = entry.getValue().values.get();
                long expected = GptConfig.elements(entry.getValue().shape);
                if (values.length != expected) {
                    throw new IllegalStateException("tensor \"" + entry.getKey() + "\" has " + values.length
                            + " values, its shape says " + expected);
                }
                for (int done = 0; done < values.length; done += CHUNK) {
                    int length = Math.min(CHUNK, values.length - done);
                    chunk.clear();
                    chunk.asFloatBuffer().put(values, done, length);
                    writeFully(channel, chunk.limit(length * Float.BYTES));
                }
            }
        });
    }

    private ByteBuffer header() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = mapper.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode notes = root.putObject("__metadata__");
            metadata.forEach(notes::put);
        }
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            ObjectNode node = root.putObject(entry.getKey()).put("dtype", "F32");
            ArrayNode shape = node.putArray("shape");
            for (long size : entry.getValue().shape) {
                shape.add(size);
            }
            long end = offset + GptConfig.elements(entry.getValue().shape) * Float.BYTES;
            node.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        byte[] json = mapper.writeValueAsBytes(root);
        // Padded with spaces so that the values start on a multiple of eight bytes.
        int padded = (json.length + 7) / 8 * 8;
        ByteBuffer header = ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(padded).put(json);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.flip();
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
