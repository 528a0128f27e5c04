package dev.weir.train;

/** Matrices of floats, in the type that the graph calculates in. */
final class FloatMatrices implements GraphMatrices {
    private final OnnxGraphBuilder graph;
    private final GptConfig config;
    private final GraphWeights weights;

    FloatMatrices(OnnxGraphBuilder graph, GptConfig config, GraphWeights weights) {
        this.graph = graph;
        this.config = config;
        this.weights = weights;
    }

    @Override
    public String linear(String x, String name, int inputs, int outputs) {
        return graph.node("MatMul", name + "/MatMul")
                .in(x, weights.weight(name + ".weight", inputs, outputs))
                .out();
    }

    @Override
    public String embed(String ids) {
        String table = config.family().tokenEmbedding();
        return graph.node("Gather", GraphMatrices.node(table, "Gather"))
                .in(weights.tokenRows(table, config.vocabularySize(), config.width()), ids)
                .out();
    }

    @Override
    public void score(String x, String output) {
        graph.contrib("FusedMatMul", "head/MatMul")
                .in(x, config.family().tokenEmbedding())
                .with("transB", 1)
                .to(output);
    }
}
