package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Objects;

/**
 * A Llama as an ONNX graph, with the inputs, outputs and cache of a GPT's ({@link GptGraph}) but for positions, which attention
 * itself turns queries and keys by.
 *
 * <pre>
 * x = token embedding
 * per layer   x += attention(norm(x) W) W;  x += (silu(norm(x) W) * norm(x) W) W
 * logits = norm(x) . token embedding, transposed
 * </pre>
 *
 * <p>Norms divide by the root of the mean square (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019) and nothing
 * has a bias. The two matrices of the gated layer (SwiGLU; Shazeer, "GLU Variants Improve Transformer", 2020) are multiplied as
 * one. What follows the last attention is computed for the tokens alone whose logits are wanted.
 */
final class LlamaGraph {
    private final GptConfig config;
    private final LlamaShape shape;
    private final OnnxGraphBuilder graph;
    private final GraphAttention attention;
    private final GraphWeights constants;
    private final GraphMatrices matrices;

    private LlamaGraph(GptWeights weights, GptGraphOptions options) {
        config = weights.config();
        shape = Objects.requireNonNull(config.llama());
        if (weights.head().isPresent() || !options.adapters().isEmpty()) {
            throw new IllegalArgumentException("a Llama has neither the head of a task nor adapters");
        }
        graph = new OnnxGraphBuilder(config.family().label());
        constants = new GraphWeights(graph, weights, options);
        attention = GraphAttention.of(graph, config, options, constants);
        matrices = GraphMatrices.of(options, graph, config, constants);
    }

    /** Builds the graph of these weights. */
    static OnnxGraphBuilder of(GptWeights weights, GptGraphOptions options) {
        return new LlamaGraph(weights, options).build();
    }

    private OnnxGraphBuilder build() {
        graph.longs("const/gate_and_up", shape.hidden(), shape.hidden());
        String embedded = matrices.embed(attention.tokens().ids());
        Stream stream = new Stream(embedded, firstNorm(embedded));
        for (int layer = 0; layer < config.layers(); layer++) {
            stream = block(layer, stream);
        }
        GraphOutputs outputs = new GraphOutputs(graph, attention, constants.type());
        matrices.score(stream.normalised(), outputs.computed("logits"));
        outputs.declare("logits", constants.rows(config.vocabularySize()));
        return graph;
    }

    /** What the next matrix reads, and what its result will be added to. */
    private record Stream(String residual, String normalised) {}

    private Stream block(int layer, Stream in) {
        int d = config.width();
        String name = "layers." + layer;
        String qkv = matrices.linear(in.normalised(), name + ".self_attn.qkv_proj", d, shape.qkvWidth(config));
        String attended = attention.attend(layer, name + ".self_attn", qkv);
        String residual = in.residual();
        if (layer == config.layers() - 1) {
            attended = attention.wanted("attention", attended);
            residual = attention.wanted("residual", residual);
            matrices.rowsMayBeNone();
        }
        String projected = matrices.linear(attended, name + ".self_attn.o_proj", d, d);
        Stream middle =
                addAndNormalise(name + ".self_attn", projected, residual, name + ".post_attention_layernorm.weight");
        String narrowed =
                matrices.linear(gated(name + ".mlp", middle.normalised()), name + ".mlp.down_proj", shape.hidden(), d);
        String nextNorm =
                layer + 1 < config.layers() ? "layers." + (layer + 1) + ".input_layernorm.weight" : "norm.weight";
        return addAndNormalise(name + ".mlp", narrowed, middle.residual(), nextNorm);
    }

    /** {@code silu(x gate) * (x up)}, of both matrices in one. */
    private String gated(String name, String x) {
        String both = matrices.linear(x, name + ".gate_up_proj", config.width(), 2 * shape.hidden());
        String gate = name + "/gate";
        String up = name + "/up";
        graph.node("Split", name + "/Split")
                .in(both, "const/gate_and_up")
                .with("axis", -1)
                .to(gate, up);
        // x sigmoid(alpha x), which with an alpha of 1 is silu.
        String activated = graph.contrib("QuickGelu", name + "/QuickGelu")
                .in(gate)
                .with("alpha", 1f)
                .out();
        return graph.node("Mul", name + "/Mul").in(activated, up).out();
    }

    private String firstNorm(String x) {
        return graph.node("SimplifiedLayerNormalization", "embedding/SimplifiedLayerNorm")
                .in(x, constants.weight("layers.0.input_layernorm.weight", config.width()))
                .with("axis", -1)
                .with("epsilon", (float) GptConfig.LAYER_NORM_EPSILON)
                .with("stash_type", DataType.FLOAT.getNumber())
                .out();
    }

    /** {@code sum = x + residual} and its norm, in one node. */
    private Stream addAndNormalise(String name, String x, String residual, String norm) {
        String normalised = name + "/SkipSimplifiedLayerNorm";
        graph.contrib("SkipSimplifiedLayerNormalization", normalised)
                .in(x, residual, constants.weight(norm, config.width()))
                .with("epsilon", (float) GptConfig.LAYER_NORM_EPSILON)
                .to(normalised, "", "", name + "/residual");
        return new Stream(name + "/residual", normalised);
    }
}
