package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;

/**
 * Matrices of eight bits, one scale for each output, multiplied in integers with one scale for each token ("row8"), or with one
 * for all tokens of a run.
 */
final class Int8Matrices implements GraphMatrices {
    private final OnnxGraphBuilder graph;
    private final GptConfig config;
    private final GraphWeights weights;
    private final Numerics numerics;
    private boolean mayBeNone;

    Int8Matrices(OnnxGraphBuilder graph, GptConfig config, GraphWeights weights, Numerics numerics) {
        this.numerics = numerics;
        this.graph = graph;
        this.config = config;
        this.weights = weights;
        graph.sharedLongs("const/last", -1);
        graph.longs("const/flat", -1);
        if (numerics == Numerics.EXACT) {
            graph.scalar("const/1_127", 1f / 127);
            graph.scalar("const/tiny", 1e-20f);
            graph.constant("const/128", DataType.UINT8, () -> new byte[] {(byte) 128});
        }
    }

    @Override
    public void rowsMayBeNone() {
        mayBeNone = true;
        graph.longs("const/one_column_start", 0);
        graph.longs("const/one_column_end", 1);
    }

    @Override
    public String linear(String x, String name, int inputs, int outputs) {
        LazyQuantised quantised =
                new LazyQuantised(() -> Row8.perColumn(weights.tensor(name + ".weight"), inputs, outputs));
        String values = graph.constant(name + ".weight_int8", DataType.INT8, quantised::values, inputs, outputs);
        String scales = graph.floats(name + ".weight_scale", quantised::scales, outputs);
        return multiply(x, name, values, scales, name + "/MatMul");
    }

    /** The table that the head multiplies with, looked up and scaled back, so that it is stored once. */
    @Override
    public String embed(String ids) {
        int vocabulary = config.vocabularySize();
        String table = config.family().tokenEmbedding();
        LazyQuantised quantised =
                new LazyQuantised(() -> Row8.perRow(weights.tensor(table), vocabulary, config.width()));
        graph.constant(table + "_int8", DataType.INT8, quantised::values, vocabulary, config.width());
        graph.floats(table + "_scale", quantised::scales, vocabulary, 1);
        String values = graph.node("Gather", GraphMatrices.node(table, "Gather"))
                .in(table + "_int8", ids)
                .out();
        String floats = graph.node("Cast", GraphMatrices.node(table, "Cast"))
                .in(values)
                .with("to", DataType.FLOAT.getNumber())
                .out();
        String scales = graph.node("Gather", GraphMatrices.node(table, "GatherScale"))
                .in(table + "_scale", ids)
                .out();
        return graph.node("Mul", GraphMatrices.node(table, "Mul"))
                .in(floats, scales)
                .out();
    }

    @Override
    public void score(String x, String output) {
        String table = config.family().tokenEmbedding();
        String transposed =
                graph.node("Transpose", "head/Transpose").in(table + "_int8").out();
        String scales = graph.node("Reshape", "head/Scales")
                .in(table + "_scale", "const/flat")
                .out();
        multiply(x, "head", transposed, scales, output);
    }

    /**
     * {@code y = x W} in integers, with a scale for each token: {@code a = max|x|}, {@code y = (127 x / a rounded) W *
     * scales / 127 * a}. The activations are unsigned with zero point 128 because that is the fast kernel on x86.
     */
    private String multiply(String x, String name, String values, String scales, String output) {
        if (numerics == Numerics.FAST) {
            return graph.contrib("DynamicQuantizeMatMul", name + "/DynamicQuantizeMatMul")
                    .in(x, values, scales)
                    .to(output);
        }
        String magnitudes = graph.node("Abs", name + "/Abs").in(x).out();
        String max = graph.node("ReduceMax", name + "/Max")
                .in(magnitudes, "const/last")
                .with("keepdims", 1)
                .out();
        if (mayBeNone) {
            // Of no rows ONNX Runtime's reduction is as wide as they are; of others this changes nothing.
            max = graph.node("Slice", name + "/OneColumn")
                    .in(max, "const/one_column_start", "const/one_column_end", "const/last")
                    .out();
        }
        // Guards the division where a row is all zeros.
        String largest =
                graph.node("Max", name + "/AbsMax").in(max, "const/tiny").out();
        String scaled = graph.node("Div", name + "/Div").in(x, largest).out();
        String rounded = graph.node("QuantizeLinear", name + "/Quantize")
                .in(scaled, "const/1_127", "const/128")
                .out();
        // Said outright, and for each matrix anew, because ONNX Runtime rewrites it together with the weights on
        // processors whose signed kernel would overflow.
        String zero = graph.constant(name + ".weight_zero", DataType.INT8, () -> new byte[1]);
        String product = graph.contrib("MatMulIntegerToFloat", name + "/MatMulInteger")
                .in(rounded, values, "const/1_127", scales, "const/128", zero)
                .out();
        return graph.node("Mul", name + "/Rescale").in(product, largest).to(output);
    }
}
