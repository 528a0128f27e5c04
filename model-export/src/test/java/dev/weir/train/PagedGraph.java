package dev.weir.train;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * An exported graph with paged attention on the CPU, whose provider has no kernel for that. The graph is cut at these nodes:
 * what they read becomes an output and what they compute an input, and {@link PagedAttentionReference} calculates the one from
 * the other, one layer after the other. All else is ONNX Runtime's. Used by one thread.
 */
final class PagedGraph implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final List<PagedAttentionReference> layers = new ArrayList<>();
    private final PagedArithmetic arithmetic;
    private final int width;
    private final OrtSession session;

    /** Reads a model with a cache of so many blocks. */
    PagedGraph(Path file, PagedArithmetic arithmetic, int width, int blocks, int blockSize)
            throws IOException, OrtException {
        this.arithmetic = arithmetic;
        this.width = width;
        ModelProto model = arithmetic.of(ModelProto.parseFrom(Files.readAllBytes(file)));
        GraphProto graph = model.getGraph();
        GraphProto.Builder cut = graph.toBuilder().clearNode().clearInput().clearOutput();
        Set<String> gone = new HashSet<>();
        for (NodeProto node : graph.getNodeList()) {
            if (!node.getOpType().equals("PagedAttention")) {
                cut.addNode(node);
                continue;
            }
            PagedAttentionReference layer =
                    new PagedAttentionReference(node, graph, arithmetic, width, blocks, blockSize);
            layers.add(layer);
            DataType stored = layer.isQuantised() ? DataType.INT8 : arithmetic.type();
            for (int cache : new int[] {3, 4}) {
                requireCache(graph.getInputList(), layer.input(cache), stored);
                requireCache(graph.getOutputList(), layer.output(cache - 2), stored);
                gone.add(layer.input(cache));
                gone.add(layer.output(cache - 2));
            }
            IntStream.of(5, 6, 7, 10, 16).forEach(index -> gone.add(layer.input(index)));
            cut.addInput(numbers(layer.output(0), width));
            cut.addOutput(numbers(layer.input(0), layer.rowSize()));
        }
        graph.getInputList().stream()
                .filter(info -> !gone.contains(info.getName()))
                .forEach(cut::addInput);
        graph.getOutputList().stream()
                .filter(info -> !gone.contains(info.getName()))
                .forEach(cut::addOutput);
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            options.setIntraOpNumThreads(1);
            // It warns of constants that only the nodes that were cut out had read.
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            session = environment.createSession(
                    model.toBuilder().setGraph(cut).build().toByteArray(), options);
        }
    }

    private static void requireCache(List<ValueInfoProto> infos, String name, DataType stored) {
        TypeProto.Tensor type = infos.stream()
                .filter(info -> info.getName().equals(name))
                .findAny()
                .orElseThrow()
                .getType()
                .getTensorType();
        if (type.getElemType() != stored.getNumber() || type.getShape().getDimCount() != 4) {
            throw new IllegalStateException(name + " is " + type);
        }
    }

    private ValueInfoProto numbers(String name, int size) {
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(arithmetic.type().getNumber())
                                .setShape(TensorShapeProto.newBuilder()
                                        .addDim(TensorShapeProto.Dimension.newBuilder()
                                                .setDimParam("num_tokens"))
                                        .addDim(TensorShapeProto.Dimension.newBuilder()
                                                .setDimValue(size)))))
                .build();
    }

    List<PagedAttentionReference> layers() {
        return layers;
    }

    /** What an output says of each token that is wanted, after all layers have seen the step's tokens. */
    float[][] run(PagedStep step, String output) throws OrtException {
        float[][] attended = new float[layers.size()][step.ids().length * width];
        for (int layer = 0; layer < layers.size(); layer++) {
            float[] qkv = compute(step, attended, layers.get(layer).input(0));
            attended[layer] = layers.get(layer).run(qkv, step);
        }
        float[] flat = compute(step, attended, output);
        int size = flat.length / step.wanted().length;
        return IntStream.range(0, step.wanted().length)
                .mapToObj(row -> Arrays.copyOfRange(flat, row * size, (row + 1) * size))
                .toArray(float[][]::new);
    }

    private float[] compute(PagedStep step, float[][] attended, String output) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try {
            int tokens = step.ids().length;
            inputs.put("input_ids", longs(step.ids()));
            if (session.getInputNames().contains("position_ids")) {
                inputs.put("position_ids", longs(step.positions()));
            }
            inputs.put(
                    "logits_indices",
                    OnnxTensor.createTensor(
                            environment, IntBuffer.wrap(step.wanted()), new long[] {step.wanted().length}));
            for (int layer = 0; layer < layers.size(); layer++) {
                inputs.put(layers.get(layer).output(0), stored(attended[layer], tokens, width));
            }
            try (OrtSession.Result result = session.run(inputs, Set.of(output))) {
                FloatBuffer values = ((OnnxTensor) result.get(output).orElseThrow()).getFloatBuffer();
                float[] array = new float[values.remaining()];
                values.get(array);
                return array;
            }
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private OnnxTensor stored(float[] values, long... shape) throws OrtException {
        if (arithmetic == PagedArithmetic.HALF) {
            ShortBuffer halves = ShortBuffer.allocate(values.length);
            for (float value : values) {
                halves.put(Float.floatToFloat16(value));
            }
            return OnnxTensor.createTensor(environment, halves.flip(), shape, OnnxJavaType.FLOAT16);
        }
        FloatBuffer floats = FloatBuffer.allocate(values.length);
        for (float value : values) {
            floats.put(arithmetic.stored(value));
        }
        return OnnxTensor.createTensor(environment, floats.flip(), shape);
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
