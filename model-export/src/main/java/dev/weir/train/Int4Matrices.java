package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;

/** Matrices of four bits, one scale for each block of inputs of an output; see {@link Block4}. */
final class Int4Matrices implements GraphMatrices {
    private final OnnxGraphBuilder graph;
    private final GptConfig config;
    private final GraphWeights weights;

    Int4Matrices(OnnxGraphBuilder graph, GptConfig config, GraphWeights weights) {
        this.graph = graph;
        this.config = config;
        this.weights = weights;
        if (config.width() % Block4.SIZE != 0) {
            graph.sharedLongs("const/last", -1);
        }
        graph.longs("const/blocks", config.vocabularySize(), Block4.blocks(config.width()), Block4.BYTES);
    }

    @Override
    public String linear(String x, String name, int inputs, int outputs) {
        LazyQuantised quantised =
                new LazyQuantised(() -> Block4.perColumn(weights.tensor(name + ".weight"), inputs, outputs));
        int blocks = Block4.blocks(inputs);
        String values =
                graph.constant(name + ".weight_int4", DataType.UINT8, quantised::values, outputs, blocks, Block4.BYTES);
        String scales = graph.floats(name + ".weight_scale", quantised::scales, outputs, blocks);
        String output = name + "/MatMul";
        return multiply(x, output, values, scales, inputs, outputs, output);
    }

    /** The table that the head multiplies with, stored once; rows of whole blocks, of which the filling is cut off. */
    @Override
    public String embed(String ids) {
        int vocabulary = config.vocabularySize();
        int width = config.width();
        int blocks = Block4.blocks(width);
        String table = config.family().tokenEmbedding();
        LazyQuantised quantised = new LazyQuantised(() -> Block4.perRow(weights.tensor(table), vocabulary, width));
        String values = graph.constant(
                table + "_int4", DataType.UINT8, quantised::values, vocabulary, (long) blocks * Block4.BYTES);
        String scales = graph.floats(table + "_scale", quantised::scales, vocabulary, blocks);
        String rows = graph.contrib("GatherBlockQuantized", GraphMatrices.node(table, "GatherBlockQuantized"))
                .in(values, ids, scales)
                .with("gather_axis", 0)
                .with("quantize_axis", 1)
                .with("block_size", Block4.SIZE)
                .with("bits", 4)
                .out();
        if (width == blocks * Block4.SIZE) {
            return rows;
        }
        return graph.node("Slice", GraphMatrices.node(table, "Slice"))
                .in(rows, graph.longs("const/first", 0), graph.longs("const/width", width), "const/last")
                .out();
    }

    @Override
    public void score(String x, String output) {
        String table = config.family().tokenEmbedding();
        String blocks = graph.node("Reshape", "head/Blocks")
                .in(table + "_int4", "const/blocks")
                .out();
        multiply(x, "head/MatMul", blocks, table + "_scale", config.width(), config.vocabularySize(), output);
    }

    /**
     * {@code y = x W} with four-bit weights. The accuracy level asks for activations in eight bits, rounded by block within
     * each token: the only kernel that gives a row the same numbers whatever else is in its batch.
     */
    private String multiply(
            String x, String name, String values, String scales, int inputs, int outputs, String output) {
        return graph.contrib("MatMulNBits", name)
                .in(x, values, scales)
                .with("K", inputs)
                .with("N", outputs)
                .with("bits", 4)
                .with("block_size", Block4.SIZE)
                .with("accuracy_level", 4)
                .to(output);
    }
}
