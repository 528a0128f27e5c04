package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.weir.onnx.FolderTask;
import dev.weir.onnx.ModelFolder;

/**
 * A GPT as an ONNX graph that a continuously batching server runs: one graph for prefill, chunks of a prefill and
 * decoding, with the cache of keys and values outside, in buffers that attention writes in place.
 *
 * <p>How tokens come in and what their cache is like are {@link GraphAttention}'s: {@link SlotAttention} for the CPU, {@link
 * PagedAttention} for CUDA. Outputs are {@code logits}, float32, of the tokens that they are wanted of, and the cache, {@code
 * present.N.key|value}; of a fine-tuned model also {@code class_logits}, what its head says of the same tokens.
 *
 * <pre>
 * x = token embedding + position embedding
 * per layer   x += attention(norm(x)) W + b;  x += gelu(norm(x) W + b) W + b
 * logits = norm(x) . token embedding, transposed
 * </pre>
 *
 * <p>A GPT-1 normalises after each addition instead: {@code x = norm(x + attention(x) W + b)} and so on, and not at the end.
 * That is the same pair of addition and norm, of which the next addition then takes the normalised half.
 *
 * <p>Where adapters are to be run with the model, each matrix that they change has two more inputs, which need not be given: {@link
 * LoraAdapter} names them. By default their rank is zero and so is what they add.
 *
 * <p>Only some tokens' logits are wanted, as a rule each sequence's last, and no later layer reads the last layer's other
 * tokens: so everything after the last attention is computed for those, which saves two thirds of a layer in a prefill.
 */
final class GptGraph {
    /** What the output of a fine-tuned model's head is called. */
    static final String CLASS_LOGITS = FolderTask.OUTPUT;

    private final GptConfig config;
    private final GptWeights weights;
    private final GptGraphOptions options;
    private final OnnxGraphBuilder graph;
    private final GraphAttention attention;
    private final GraphWeights constants;
    private final GraphOutputs outputs;

    private GptGraph(GptWeights weights, GptGraphOptions options) {
        this.config = weights.config();
        this.weights = weights;
        this.options = options;
        graph = new OnnxGraphBuilder(config.family().label());
        constants = new GraphWeights(graph, weights, options);
        attention = GraphAttention.of(graph, config, options, constants);
        outputs = new GraphOutputs(graph, attention, constants.type());
    }

    /** Builds the graph of these weights. */
    static OnnxGraphBuilder of(GptWeights weights, GptGraphOptions options) {
        return new GptGraph(weights, options).build();
    }

    /**
     * Builds a graph of the same constants, without a head: its one output beside the cache is the mean of what the last norm
     * gives of a row's tokens, {@code sentence_embedding [batch, 1, width]}, so that a row is a whole text.
     */
    static OnnxGraphBuilder embedding(GptWeights weights, GptGraphOptions options) {
        return new GptGraph(weights, options.withAllPositions()).buildEmbedding();
    }

    private OnnxGraphBuilder buildEmbedding() {
        Stream stream = body(matrices());
        graph.node("ReduceMean", "embedding/ReduceMean")
                .in(stream.normalised(), graph.sharedLongs("const/axis1", 1))
                .with("keepdims", 1)
                .to(ModelFolder.EMBEDDINGS_OUTPUT);
        graph.output(ModelFolder.EMBEDDINGS_OUTPUT, DataType.FLOAT, "batch_size", 1, config.width());
        return graph;
    }

    private GraphMatrices matrices() {
        return GraphMatrices.of(options, graph, config, constants);
    }

    private OnnxGraphBuilder build() {
        GraphMatrices matrices = matrices();
        Stream stream = body(matrices);
        head(stream.normalised(), matrices);
        if (options.hasNewHead()) {
            adaptableTaskHead(stream.normalised());
        } else {
            weights.head().ifPresent(task -> taskHead(task, stream.normalised()));
        }
        return graph;
    }

    private Stream body(GraphMatrices matrices) {
        GraphAttention.Tokens tokens = attention.tokens();
        String tokenEmbedding = matrices.embed(tokens.ids());
        String table = config.family().positionEmbedding();
        String positionEmbedding = graph.node("Gather", GraphMatrices.node(table, "Gather"))
                .in(constants.weight(table, config.context(), config.width()), tokens.positions())
                .out();
        if (options.hasNewTokens()) {
            tokenEmbedding = embedNewTokens(tokens.ids(), tokenEmbedding);
        }
        return blocks(embed(tokenEmbedding, positionEmbedding), matrices);
    }

    /** What the next matrix reads, and what its result will be added to. */
    private record Stream(String residual, String normalised) {}

    private Stream embed(String tokens, String positions) {
        if (config.family().isPostNorm()) {
            String sum =
                    graph.node("Add", "embedding/Add").in(tokens, positions).out();
            return new Stream(sum, sum);
        }
        // Adding the two embeddings is the same operation as adding a layer's output: fused with the norm after it.
        return addAndNormalise("embedding", tokens, positions, "", "h.0.ln_1");
    }

    private Stream blocks(Stream embedded, GraphMatrices matrices) {
        Stream stream = embedded;
        for (int layer = 0; layer < config.layers(); layer++) {
            stream = block(layer, stream, matrices);
        }
        return stream;
    }

    private Stream block(int layer, Stream in, GraphMatrices matrices) {
        int d = config.width();
        String name = "h." + layer;
        String qkv = adaptable(in.normalised(), name + ".attn.c_attn", d, 3 * d, matrices);
        String biased = graph.node("Add", name + ".attn.c_attn/Add")
                .in(qkv, constants.bias(name + ".attn.c_attn", 3 * d))
                .out();
        String attended = attention.attend(layer, name + ".attn", biased);
        String residual = in.residual();
        if (layer == config.layers() - 1) {
            attended = attention.wanted("attention", attended);
            residual = attention.wanted("residual", residual);
            matrices.rowsMayBeNone();
        }
        String projected = adaptable(attended, name + ".attn.c_proj", d, d, matrices);
        boolean postNorm = config.family().isPostNorm();
        String middleNorm = name + (postNorm ? ".ln_1" : ".ln_2");
        Stream middle = addAndNormalise(
                name + ".attn", projected, residual, constants.bias(name + ".attn.c_proj", d), middleNorm);
        String widened = adaptable(middle.normalised(), name + ".mlp.c_fc", d, 4 * d, matrices);
        String activated = graph.contrib("FastGelu", name + ".mlp/FastGelu")
                .in(widened, constants.bias(name + ".mlp.c_fc", 4 * d))
                .out();
        String narrowed = adaptable(activated, name + ".mlp.c_proj", 4 * d, d, matrices);
        String nextNorm = layer + 1 < config.layers() ? "h." + (layer + 1) + ".ln_1" : "ln_f";
        return addAndNormalise(
                name + ".mlp",
                narrowed,
                middle.residual(),
                constants.bias(name + ".mlp.c_proj", d),
                postNorm ? name + ".ln_2" : nextNorm);
    }

    /** {@code sum = x + residual + bias} and its layer norm, in one node; the next sum takes one of the two. */
    private Stream addAndNormalise(String name, String x, String residual, String bias, String norm) {
        String normalised = name + "/SkipLayerNorm";
        OnnxGraphBuilder.Node node = graph.contrib("SkipLayerNormalization", normalised)
                .in(x, residual)
                .in(
                        constants.weight(norm + ".weight", config.width()),
                        constants.weight(norm + ".bias", config.width()))
                .in(bias)
                .with("epsilon", (float) GptConfig.LAYER_NORM_EPSILON);
        if (config.family().isPostNorm()) {
            node.to(normalised);
            return new Stream(normalised, normalised);
        }
        node.to(normalised, "", "", name + "/residual");
        return new Stream(name + "/residual", normalised);
    }

    private void head(String normalised, GraphMatrices matrices) {
        String logits = outputs.computed("logits");
        String sum = config.outputBias() ? "head/scores" : logits;
        String scores = options.hasNewTokens() ? "head/base_scores" : sum;
        matrices.score(normalised, scores);
        if (options.hasNewTokens()) {
            scoreNewTokens(normalised, scores, sum);
        }
        if (config.outputBias()) {
            graph.node("Add", "head/Add")
                    .in(sum, constants.tokenRows(GptConfig.OUTPUT_BIAS, config.vocabularySize(), 1))
                    .to(logits);
        }
        outputs.declare("logits", constants.rows(config.vocabularySize()));
    }

    /**
     * The head of a task, too small to be worth eight bits. A similarity's answer is the sum over both orders of its texts,
     * each of which gets half of the bias.
     */
    private void taskHead(TaskHead task, String normalised) {
        taskHead(
                normalised,
                constants.weight(TaskHead.WEIGHT, task.outputs(), config.width()),
                task.task() == FinetuneTask.SIMILARITY
                        ? halfBias(task)
                        : constants.weight(TaskHead.BIAS, task.outputs()),
                task.outputs());
    }

    private void taskHead(String normalised, String weight, String bias, Object classes) {
        String scores = graph.contrib("FusedMatMul", "class_head/MatMul")
                .in(normalised, weight)
                .with("transB", 1)
                .out();
        graph.node("Add", "class_head/Add").in(scores, bias).to(outputs.computed(CLASS_LOGITS));
        outputs.declare(CLASS_LOGITS, classes);
    }

    // ---- What an active adapter adds, and nothing adds up to zero: the products of two inputs whose rank is zero by
    // default.

    /** {@code x W}, and {@code x A B} where adapters change W. */
    private String adaptable(String x, String name, int inputs, int outputs, GraphMatrices matrices) {
        String product = matrices.linear(x, name, inputs, outputs);
        if (!options.isAdapted(name)) {
            return product;
        }
        // Adapters may have another rank at each matrix, so each has a size of its own.
        String rank = name + ".lora_rank";
        String a = adapterInput(LoraAdapter.inputA(name), new long[] {inputs, 0}, inputs, rank);
        String b = adapterInput(LoraAdapter.inputB(name), new long[] {0, outputs}, rank, outputs);
        String low = graph.node("MatMul", name + "/lora_A/MatMul").in(x, a).out();
        String change = graph.node("MatMul", name + "/lora_B/MatMul").in(low, b).out();
        return graph.node("Add", name + "/lora/Add").in(product, change).out();
    }

    private String adapterInput(String name, long[] defaults, Object... dims) {
        return graph.optionalInput(name, () -> new float[0], defaults, dims);
    }

    /** The embedding of tokens and, of those that an adapter brings, how its rows differ. */
    private String embedNewTokens(String ids, String embedding) {
        String table = LoraAdapter.table(config);
        String count = table + ".lora_tokens";
        String a = adapterInput(
                LoraAdapter.inputA(table), new long[] {config.vocabularySize(), 0}, config.vocabularySize(), count);
        String b = adapterInput(LoraAdapter.inputB(table), new long[] {0, config.width()}, count, config.width());
        String choice =
                graph.node("Gather", table + "/lora_A/Gather").in(a, ids).out();
        String change =
                graph.node("MatMul", table + "/lora_B/MatMul").in(choice, b).out();
        return graph.node("Add", table + "/lora/Add").in(embedding, change).out();
    }

    /** The same change of the table where it is the output head. */
    private void scoreNewTokens(String normalised, String scores, String sum) {
        String table = LoraAdapter.table(config);
        String low = graph.contrib("FusedMatMul", "head/lora_B/MatMul")
                .in(normalised, LoraAdapter.inputB(table))
                .with("transB", 1)
                .out();
        String change = graph.contrib("FusedMatMul", "head/lora_A/MatMul")
                .in(low, LoraAdapter.inputA(table))
                .with("transB", 1)
                .out();
        graph.node("Add", "head/lora/Add").in(scores, change).to(sum);
    }

    /** A head that adapters bring their own of: without one it is the model's, or has no outputs if the model has none. */
    private void adaptableTaskHead(String normalised) {
        int own = weights.head().map(TaskHead::outputs).orElse(0);
        String weight = graph.optionalInput(
                TaskHead.WEIGHT,
                () -> own == 0 ? new float[0] : weights.tensor(TaskHead.WEIGHT),
                new long[] {own, config.width()},
                "classes",
                config.width());
        String bias = graph.optionalInput(
                TaskHead.BIAS,
                () -> own == 0 ? new float[0] : weights.tensor(TaskHead.BIAS),
                new long[] {own},
                "classes");
        taskHead(normalised, weight, bias, "classes");
    }

    private String halfBias(TaskHead task) {
        return constants.constant(
                TaskHead.BIAS + "_half",
                () -> {
                    float[] bias = weights.tensor(TaskHead.BIAS);
                    for (int i = 0; i < bias.length; i++) {
                        bias[i] /= 2;
                    }
                    return bias;
                },
                task.outputs());
    }
}
