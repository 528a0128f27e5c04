package dev.weir.train;

/**
 * How a graph stores the model's matrices and multiplies with them. Used by one thread, which calls {@link #embed} before
 * {@link #score}: the table of tokens is stored once, and is the output head too.
 */
interface GraphMatrices {
    /** {@code y = x W}, without the bias, which the node after it adds; W is the weight {@code name} {@code [inputs, outputs]}. */
    String linear(String x, String name, int inputs, int outputs);

    /** From here on there may be no rows to multiply at all. */
    default void rowsMayBeNone() {}

    /** The table's rows of some tokens, {@code [tokens...]} to {@code [tokens..., width]}. */
    String embed(String ids);

    /** {@code output = x . table, transposed}: {@code [tokens..., width]} to {@code [tokens..., vocabulary]}. */
    void score(String x, String output);

    /** Those that an export asks for. */
    static GraphMatrices of(GptGraphOptions options, OnnxGraphBuilder graph, GptConfig config, GraphWeights weights) {
        return switch (options.precision()) {
            case FP32, FP16, BF16 -> new FloatMatrices(graph, config, weights);
            case INT8 -> new Int8Matrices(graph, config, weights, options.numerics());
            case INT4 -> new Int4Matrices(graph, config, weights);
        };
    }

    /** The name of what is done with a table, after the table: {@code wte/Gather}. */
    static String node(String table, String operation) {
        return table.replace(".weight", "/" + operation);
    }
}
