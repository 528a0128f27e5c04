package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A memory-mapped file of tensors in the safetensors format: eight bytes of header length, a JSON header with each tensor's
 * type, shape and place, then the raw little-endian values (<a
 * href="https://huggingface.co/docs/safetensors/index#format">format</a>). Immutable; any thread. The header is checked
 * against the file before anything is read, so that a damaged or hostile file fails with its name.
 */
final class SafetensorsFile {
    /** The bound of the reference implementation. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final Map<String, Entry> entries;
    private final Map<String, String> metadata;

    @SuppressWarnings("ArrayRecordComponent") // read here only, never compared
    private record Entry(String type, long[] shape, MemorySegment bytes) {}

    private SafetensorsFile(Path path, Map<String, Entry> entries, Map<String, String> metadata) {
        this.path = path;
        this.entries = entries;
        this.metadata = metadata;
    }

    /**
     * Opens a file. It stays mapped until the returned object is garbage.
     *
     * @throws IOException if it cannot be read
     * @throws UserError if it is not a whole safetensors file
     */
    static SafetensorsFile open(Path path) throws IOException {
        MemorySegment file;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
        }
        if (file.byteSize() < Long.BYTES) {
            throw damaged(path, "is shorter than its header");
        }
        long headerBytes = file.get(LONG, 0);
        if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES || headerBytes > file.byteSize() - Long.BYTES) {
            throw damaged(path, "says that its header has " + headerBytes + " bytes");
        }
        JsonNode header;
        try {
            header = new ObjectMapper()
                    .readTree(file.asSlice(Long.BYTES, headerBytes).toArray(ValueLayout.JAVA_BYTE));
        } catch (JsonProcessingException e) {
            throw new UserError(path + " is damaged: its header is not JSON", e);
        }
        MemorySegment data = file.asSlice(Long.BYTES + headerBytes);
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : header.properties()) {
            if (field.getKey().equals("__metadata__")) {
                field.getValue()
                        .properties()
                        .forEach(note ->
                                metadata.put(note.getKey(), note.getValue().asText()));
            } else {
                entries.put(field.getKey(), entry(path, field.getKey(), field.getValue(), data));
            }
        }
        return new SafetensorsFile(path, entries, metadata);
    }

    private static Entry entry(Path path, String name, JsonNode node, MemorySegment data) {
        String type = node.path("dtype").asText();
        JsonNode shapeNode = node.path("shape");
        long[] shape = new long[shapeNode.size()];
        long bytes = bytesPerElement(path, name, type);
        for (int i = 0; i < shape.length; i++) {
            shape[i] = shapeNode.get(i).asLong(-1);
            if (shape[i] < 0 || (shape[i] > 0 && bytes > data.byteSize() / shape[i])) {
                throw damaged(path, "gives \"" + name + "\" the shape " + shapeNode);
            }
            bytes *= shape[i];
        }
        long begin = node.path("data_offsets").path(0).asLong(-1);
        long end = node.path("data_offsets").path(1).asLong(-1);
        if (begin < 0 || end < begin || end > data.byteSize() || end - begin != bytes) {
            throw damaged(
                    path,
                    "puts \"" + name + "\" at bytes " + node.path("data_offsets") + " of " + data.byteSize() + ", for "
                            + bytes + " bytes of values");
        }
        return new Entry(type, shape, data.asSlice(begin, bytes));
    }

    private static long bytesPerElement(Path path, String name, String type) {
        return switch (type) {
            case "F64", "I64", "U64" -> 8;
            case "F32", "I32", "U32" -> 4;
            case "F16", "BF16", "I16", "U16" -> 2;
            case "I8", "U8", "BOOL" -> 1;
            default ->
                throw new UserError(path + " holds \"" + name + "\" as " + type
                        + ", which is not supported: convert it to F32, F16 or BF16");
        };
    }

    private static UserError damaged(Path path, String how) {
        return new UserError(path + " is not a whole safetensors file: it " + how + "; copy or make it again");
    }

    Set<String> names() {
        return entries.keySet();
    }

    Map<String, String> metadata() {
        return metadata;
    }

    /** A copy of the shape of a tensor that {@link #names()} has. */
    long[] shape(String name) {
        return require(name).shape.clone();
    }

    /**
     * A copy of a tensor's values, row-major; half precision is widened.
     *
     * @throws UserError if the file has no such tensor, or not as floating point
     */
    float[] floats(String name) {
        Entry entry = require(name);
        MemorySegment bytes = entry.bytes;
        return switch (entry.type) {
            case "F32" -> bytes.toArray(FLOAT);
            case "F16" -> {
                float[] values = new float[Math.toIntExact(bytes.byteSize() / Short.BYTES)];
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.float16ToFloat(bytes.getAtIndex(SHORT, i));
                }
                yield values;
            }
            case "BF16" -> {
                float[] values = new float[Math.toIntExact(bytes.byteSize() / Short.BYTES)];
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.intBitsToFloat(bytes.getAtIndex(SHORT, i) << 16);
                }
                yield values;
            }
            default ->
                throw new UserError(
                        path + " holds \"" + name + "\" as " + entry.type + ": convert it to F32, F16 or BF16");
        };
    }

    private Entry require(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new UserError(path + " has no tensor \"" + name + "\"; it has " + entries.size() + " others");
        }
        return entry;
    }
}
