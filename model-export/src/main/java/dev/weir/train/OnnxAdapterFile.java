package dev.weir.train;

import com.google.flatbuffers.FlatBufferBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.SequencedMap;

/**
 * An {@code .onnx_adapter} file, a flatbuffer of named tensors that ONNX Runtime gives to a graph in place of its inputs' defaults
 * (<a href="https://onnxruntime.ai/docs/genai/reference/adapter.html">format</a>). Static functions; any thread.
 *
 * <pre>
 * table Adapter { format_version: int; adapter_version: int; model_version: int; parameters: [Parameter]; }
 * table Parameter { name: string; dims: [int64]; data_type: TensorDataType; raw_data: [uint8] (force_align: 8); }
 * </pre>
 */
final class OnnxAdapterFile {
    private static final String IDENTIFIER = "TORT";
    private static final int FORMAT_VERSION = 1;
    /** The first of its name: nobody tells adapters or models apart by it yet. */
    private static final int CONTENT_VERSION = 1;

    private static final int FLOAT = 1; // as in ONNX
    private static final int ALIGNMENT = 8;
    private static final int FIELDS = 4; // of either table

    private OnnxAdapterFile() {}

    static void write(Path path, SequencedMap<String, LoraAdapter.Parameter> parameters) throws IOException {
        FlatBufferBuilder builder = new FlatBufferBuilder(1 << 16);
        int[] tables = new int[parameters.size()];
        int count = 0;
        for (Map.Entry<String, LoraAdapter.Parameter> parameter : parameters.entrySet()) {
            tables[count++] = parameter(builder, parameter.getKey(), parameter.getValue());
        }
        int all = builder.createVectorOfTables(tables);
        builder.startTable(FIELDS);
        builder.addInt(0, FORMAT_VERSION, 0);
        builder.addInt(1, CONTENT_VERSION, 0);
        builder.addInt(2, CONTENT_VERSION, 0);
        builder.addOffset(3, all, 0);
        builder.finish(builder.endTable(), IDENTIFIER);
        ByteBuffer bytes = builder.dataBuffer();
        AtomicFile.write(path, channel -> {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        });
    }

    private static int parameter(FlatBufferBuilder builder, String name, LoraAdapter.Parameter parameter) {
        float[] values = parameter.values();
        ByteBuffer memory =
                builder.createUnintializedVector(1, Math.multiplyExact(values.length, Float.BYTES), ALIGNMENT);
        memory.asFloatBuffer().put(values); // little-endian, as the builder gives it
        int data = builder.endVector();
        long[] shape = parameter.shape();
        builder.startVector(Long.BYTES, shape.length, Long.BYTES);
        for (int i = shape.length - 1; i >= 0; i--) { // a flatbuffer grows from its end
            builder.addLong(shape[i]);
        }
        int dims = builder.endVector();
        int text = builder.createString(name);
        builder.startTable(FIELDS);
        builder.addOffset(0, text, 0);
        builder.addOffset(1, dims, 0);
        builder.addInt(2, FLOAT, 0);
        builder.addOffset(3, data, 0);
        return builder.endTable();
    }
}
