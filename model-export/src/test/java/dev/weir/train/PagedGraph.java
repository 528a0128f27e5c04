package dev.weir.train;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * An exported graph with paged attention on the CPU, which has that written out ({@link PlainAttention}), and its cache, which
 * begins as NaN: that shows in the output as soon as anybody reads what no sequence wrote. Used by one thread.
 */
final class PagedGraph implements AutoCloseable {
    private static final short HALF_NAN = 0x7E00;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    /** Keys and values of each layer, by the input's name. */
    private final Map<String, OnnxTensor> cache = new HashMap<>();

    /** Reads a model with a cache of so many blocks. */
    PagedGraph(Path file, PagedArithmetic arithmetic, GptConfig config, int blocks, int blockSize)
            throws IOException, OrtException {
        ModelProto model = arithmetic.of(ModelProto.parseFrom(Files.readAllBytes(file)));
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            options.setIntraOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            byte[] plain = PlainAttention.in(model, config.width(), arithmetic).toByteArray();
            session = environment.createSession(plain, options);
        }
        long[] shape = {blocks, blockSize, config.kvHeads(), config.headSize()};
        for (Map.Entry<String, NodeInfo> input : session.getInputInfo().entrySet()) {
            if (input.getKey().startsWith("past_key_values.")) {
                OnnxJavaType type = ((TensorInfo) input.getValue().getInfo()).type;
                cache.put(input.getKey(), OnnxTensor.createTensor(environment, unwritten(type, shape), shape, type));
            }
        }
    }

    private static ByteBuffer unwritten(OnnxJavaType type, long[] shape) {
        int numbers = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
        ByteBuffer bytes = ByteBuffer.allocateDirect(numbers * type.size).order(ByteOrder.nativeOrder());
        while (bytes.hasRemaining()) {
            switch (type) {
                case FLOAT16 -> bytes.putShort(HALF_NAN);
                case FLOAT -> bytes.putFloat(Float.NaN);
                default -> bytes.put(Byte.MIN_VALUE);
            }
        }
        return bytes.flip();
    }

    /** What an output says of each token that is wanted, after all layers have seen the step's tokens. */
    float[][] run(PagedStep step, String output) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        inputs.put("input_ids", longs(step.ids()));
        if (session.getInputNames().contains("position_ids")) {
            inputs.put("position_ids", longs(step.positions()));
        }
        inputs.put("cumulative_sequence_lengths", ints(step.cumulative()));
        inputs.put("past_sequence_lengths", ints(step.past()));
        inputs.put("block_table", OnnxTensor.createTensor(environment, step.blockTable()));
        inputs.put("slot_mapping", ints(step.slotMapping()));
        inputs.put("attention_metadata", ints(step.metadata()));
        inputs.put("logits_indices", ints(step.wanted()));
        inputs.putAll(cache);
        OrtSession.Result result = session.run(inputs);
        cache.replaceAll((name, _) -> (OnnxTensor)
                result.get(name.replace("past_key_values", "present")).orElseThrow());
        FloatBuffer values = ((OnnxTensor) result.get(output).orElseThrow()).getFloatBuffer();
        int size = values.remaining() / step.wanted().length;
        return IntStream.range(0, step.wanted().length)
                .mapToObj(_ -> {
                    float[] row = new float[size];
                    values.get(row);
                    return row;
                })
                .toArray(float[][]::new);
    }

    /** All that is cached, by the input's name: half floats, NaN where nothing was written. */
    Map<String, float[]> cached() {
        Map<String, float[]> all = new HashMap<>();
        cache.forEach((name, tensor) -> {
            FloatBuffer values = tensor.getFloatBuffer(); // which widens half floats
            float[] copy = new float[values.remaining()];
            values.get(copy);
            all.put(name, copy);
        });
        return all;
    }

    private OnnxTensor ints(int[] values) throws OrtException {
        return OnnxTensor.createTensor(environment, IntBuffer.wrap(values), new long[] {values.length});
    }

    private OnnxTensor longs(int[] values) throws OrtException {
        long[] wide = IntStream.of(values).asLongStream().toArray();
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(wide), new long[] {wide.length});
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
