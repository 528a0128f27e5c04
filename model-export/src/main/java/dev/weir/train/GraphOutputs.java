package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;

/** What a graph says of tokens, in float32 whatever it calculates in. Used by one thread. */
final class GraphOutputs {
    private final OnnxGraphBuilder graph;
    private final GraphAttention attention;
    private final DataType type;

    /** Outputs of a graph that calculates in {@code type}. */
    GraphOutputs(OnnxGraphBuilder graph, GraphAttention attention, DataType type) {
        this.graph = graph;
        this.attention = attention;
        this.type = type;
    }

    /** What an output is called before it is in float32, which it is at once where the graph calculates in that. */
    String computed(String output) {
        return type == DataType.FLOAT ? output : output + "_half";
    }

    /** Declares an output of so many numbers for each token that logits are wanted of, {@link #computed} before. */
    void declare(String name, Object size) {
        if (type != DataType.FLOAT) {
            graph.node("Cast", name + "/Cast")
                    .in(computed(name))
                    .with("to", DataType.FLOAT.getNumber())
                    .to(name);
        }
        graph.output(name, DataType.FLOAT, attention.dims(size));
    }
}
