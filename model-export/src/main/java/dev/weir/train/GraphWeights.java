package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * A model's weights as constants of a graph, in the type that the graph calculates in. Used by one thread.
 *
 * <p>On the CPU that is float32, and half floats in the file, of either kind, become it while the model is loaded; on
 * CUDA it is the half floats themselves.
 */
final class GraphWeights {
    private static final int ROW_STEP = 64;

    private final OnnxGraphBuilder graph;
    private final GptWeights weights;
    private final GptGraphOptions options;

    GraphWeights(OnnxGraphBuilder graph, GptWeights weights, GptGraphOptions options) {
        this.graph = graph;
        this.weights = weights;
        this.options = options;
    }

    /** Element type of what the graph calculates with. */
    DataType type() {
        return options.target().isInHalves() ? halves().type() : DataType.FLOAT;
    }

    /** A weight that is not quantised. */
    String weight(String name, long... shape) {
        Supplier<float[]> values = () -> weights.tensor(name);
        if (options.precision().halves().isEmpty() || options.target().isInHalves()) {
            return constant(name, values, shape);
        }
        // ONNX Runtime computes casts of constants once, when it loads the model.
        String halves = halves(name + "_" + halves().label(), name, values, shape);
        return graph.node("Cast", name + "/Cast")
                .in(halves)
                .with("to", DataType.FLOAT.getNumber())
                .to(name);
    }

    /**
     * A weight with a row for each token, and on CUDA some rows of zeros after them: the fast products want sizes that are
     * multiples of 64.
     */
    String tokenRows(String name, int tokens, int width) {
        int rows = rows(tokens);
        long[] shape = width == 1 ? new long[] {rows} : new long[] {rows, width};
        return rows == tokens
                ? weight(name, shape)
                : constant(name, () -> Arrays.copyOf(weights.tensor(name), rows * width), shape);
    }

    /** Rows of such a weight, which are also the logits of a token. */
    int rows(int tokens) {
        return options.target().isInHalves() ? (tokens + ROW_STEP - 1) / ROW_STEP * ROW_STEP : tokens;
    }

    /** The bias of a matrix. */
    String bias(String matrix, int outputs) {
        return weight(matrix + ".bias", outputs);
    }

    /** Cosines of a model with rotary positions, {@code [context, head size / 2]}. */
    String cosines() {
        return rotations("rotary/cos_cache", RotaryPositions::cosines);
    }

    /** Its sines, alike. */
    String sines() {
        return rotations("rotary/sin_cache", RotaryPositions::sines);
    }

    private interface Table {
        float[] of(RotaryPositions rotary, int context, int headSize);
    }

    private String rotations(String name, Table table) {
        GptConfig config = weights.config();
        RotaryPositions rotary = Objects.requireNonNull(config.llama()).rotary();
        int context = config.context();
        int size = config.headSize();
        return constant(name, () -> table.of(rotary, context, size), context, size / 2);
    }

    /** Other numbers, in the graph's type. */
    String constant(String name, Supplier<float[]> values, long... shape) {
        return type() == DataType.FLOAT ? graph.floats(name, values, shape) : halves(name, name, values, shape);
    }

    /** A copy of a tensor, as it was trained. */
    float[] tensor(String name) {
        return weights.tensor(name);
    }

    private String halves(String constant, String name, Supplier<float[]> values, long... shape) {
        return graph.constant(constant, halves().type(), () -> halves().bytes(name, values.get()), shape);
    }

    private HalfFloats halves() {
        return options.precision().halves().orElseThrow();
    }
}
