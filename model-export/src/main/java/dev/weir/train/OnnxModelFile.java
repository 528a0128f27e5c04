package dev.weir.train;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.weir.train.OnnxGraphBuilder.Initializer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes an ONNX graph to disk one constant at a time, so that writing needs the memory of the largest tensor and not of
 * the model. Static functions; any thread.
 *
 * <p>A protobuf message ends at 2 GiB, so the constants of larger models go to a second file, {@code model.onnx.data},
 * whose name, offset and length the first one gives ("external data" of the ONNX specification).
 */
final class OnnxModelFile {
    /** Constants of more bytes in all than this go to a file of their own. */
    static final long INLINE_LIMIT = 1_800L << 20;
    /** External tensors start on page boundaries, so that they can be mapped instead of read. */
    private static final long PAGE = 4096;
    /** Constants of fewer bytes stay in the model file: shapes and scalars are needed while the graph is optimised. */
    private static final long EXTERNAL_FROM = 1024;

    private OnnxModelFile() {}

    /** Writes {@code file} and, past {@code inlineLimit} bytes of constants, {@code file.data} beside it. */
    static void write(OnnxGraphBuilder graph, Path file, long inlineLimit) throws IOException {
        long total = graph.initializers().stream().mapToLong(Initializer::bytes).sum();
        write(graph, file, total > inlineLimit ? writeExternal(graph, file) : inline(graph));
    }

    /**
     * Writes two graphs with the same constants, which are in {@code file.data}, once. The twin may do without some.
     *
     * @throws IllegalArgumentException if the twin has a constant that the other graph has not
     */
    static void writeTwins(OnnxGraphBuilder graph, Path file, OnnxGraphBuilder twin, Path twinFile) throws IOException {
        List<Part> parts = writeExternal(graph, file);
        write(graph, file, parts);
        Map<String, Part> known = new HashMap<>();
        parts.forEach(part -> known.put(part.header().getName(), part));
        List<Part> shared = new ArrayList<>();
        for (Initializer initializer : twin.initializers()) {
            Part part = known.get(initializer.name());
            if (initializer.bytes() < EXTERNAL_FROM) {
                part = new Part(header(initializer).build(), initializer);
            } else if (part == null
                    || part.header().getDataType() != initializer.type().getNumber()
                    || !part.header().getDimsList().equals(initializer.dims())) {
                throw new IllegalArgumentException(
                        "the constant " + initializer.name() + " of " + twinFile + " is not one of " + file);
            }
            shared.add(part);
        }
        write(twin, twinFile, shared);
    }

    private static void write(OnnxGraphBuilder graph, Path file, List<Part> parts) throws IOException {
        ModelProto model = graph.model("0.1");
        GraphProto nodes = model.getGraph();
        long graphBytes = nodes.getSerializedSize();
        for (Part part : parts) {
            graphBytes += CodedOutputStream.computeTagSize(GraphProto.INITIALIZER_FIELD_NUMBER)
                    + CodedOutputStream.computeUInt32SizeNoTag(part.messageBytes())
                    + part.messageBytes();
        }
        try (OutputStream stream = Files.newOutputStream(file)) {
            // Fields of a message may come in pieces: first everything but the graph, then the graph, whose length is
            // known beforehand, and in it nodes before constants.
            CodedOutputStream out = CodedOutputStream.newInstance(stream, 1 << 16);
            model.toBuilder().clearGraph().build().writeTo(out);
            out.writeTag(ModelProto.GRAPH_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
            out.writeUInt32NoTag(Math.toIntExact(graphBytes));
            nodes.writeTo(out);
            for (Part part : parts) {
                part.writeTo(out);
            }
            out.flush();
        }
    }

    /** A constant as it stands in the model file: a header, and its bytes unless they are elsewhere. */
    private record Part(TensorProto header, @Nullable Initializer inline) {
        int messageBytes() {
            long bytes = header.getSerializedSize();
            if (inline != null) {
                bytes += CodedOutputStream.computeTagSize(TensorProto.RAW_DATA_FIELD_NUMBER)
                        + CodedOutputStream.computeUInt32SizeNoTag(Math.toIntExact(inline.bytes()))
                        + inline.bytes();
            }
            return Math.toIntExact(bytes);
        }

        void writeTo(CodedOutputStream out) throws IOException {
            out.writeTag(GraphProto.INITIALIZER_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
            out.writeUInt32NoTag(messageBytes());
            header.writeTo(out);
            if (inline != null) {
                out.writeByteArray(TensorProto.RAW_DATA_FIELD_NUMBER, data(inline));
            }
        }
    }

    private static List<Part> inline(OnnxGraphBuilder graph) {
        List<Part> parts = new ArrayList<>();
        for (Initializer initializer : graph.initializers()) {
            parts.add(new Part(header(initializer).build(), initializer));
        }
        return parts;
    }

    private static List<Part> writeExternal(OnnxGraphBuilder graph, Path file) throws IOException {
        Path dataFile = file.resolveSibling(file.getFileName() + ".data");
        List<Part> parts = new ArrayList<>();
        long offset = 0;
        try (OutputStream out = Files.newOutputStream(dataFile)) {
            for (Initializer initializer : graph.initializers()) {
                if (initializer.bytes() < EXTERNAL_FROM) {
                    parts.add(new Part(header(initializer).build(), initializer));
                    continue;
                }
                long padding = Math.floorMod(-offset, PAGE);
                out.write(new byte[(int) padding]);
                offset += padding;
                out.write(data(initializer));
                TensorProto.Builder header = header(initializer).setDataLocation(TensorProto.DataLocation.EXTERNAL);
                header.addExternalData(entry("location", dataFile.getFileName().toString()));
                header.addExternalData(entry("offset", Long.toString(offset)));
                header.addExternalData(entry("length", Long.toString(initializer.bytes())));
                parts.add(new Part(header.build(), null));
                offset += initializer.bytes();
            }
        }
        return parts;
    }

    private static TensorProto.Builder header(Initializer initializer) {
        return TensorProto.newBuilder()
                .setName(initializer.name())
                .setDataType(initializer.type().getNumber())
                .addAllDims(initializer.dims());
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static byte[] data(Initializer initializer) {
        byte[] data = initializer.data().get();
        if (data.length != initializer.bytes()) {
            throw new IllegalStateException(initializer.name() + " of shape " + initializer.dims() + " has "
                    + data.length + " bytes instead of " + initializer.bytes());
        }
        return data;
    }
}
