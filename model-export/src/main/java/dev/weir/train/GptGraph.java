package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;

/**
 * A GPT as an ONNX graph that a continuously batching server runs: one graph for prefill, chunks of a prefill and
 * decoding, with the cache of keys and values outside, in buffers that attention writes in place.
 *
 * <p>Inputs and outputs are those of ONNX Runtime GenAI: {@code input_ids} and {@code position_ids} {@code [batch,
 * tokens]}, {@code attention_mask} {@code [batch, total]}, {@code past_key_values.N.key|value} {@code [batch, heads,
 * capacity, head size]}; {@code logits} {@code [batch, 1, vocabulary]} of the last token and {@code present.N.key|value}.
 * A fine-tuned model also gives {@code class_logits} {@code [batch, 1, outputs]}, what its head says of the last token.
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
 * <p>Only the last token's logits are wanted, and no later layer reads the last layer's other tokens: so everything after
 * the last attention is computed for one token, which saves two thirds of a layer in a prefill.
 */
final class GptGraph {
    /** What the output of a fine-tuned model's head is called. */
    static final String CLASS_LOGITS = "class_logits";

    private static final int HEAD_SIZE_STEP = 8;

    private final GptConfig config;
    private final GptWeights weights;
    private final GptGraphOptions options;
    private final OnnxGraphBuilder graph;

    private GptGraph(GptWeights weights, GptGraphOptions options) {
        this.config = weights.config();
        if (config.headSize() % HEAD_SIZE_STEP != 0) {
            throw new UserError("a head of this model has width / heads = " + config.width() + " / " + config.heads()
                    + " = " + config.headSize() + " elements, but ONNX Runtime's attention takes multiples of "
                    + HEAD_SIZE_STEP + " only");
        }
        this.weights = weights;
        this.options = options;
        graph = new OnnxGraphBuilder(config.family().label());
    }

    /** Builds the graph of these weights. */
    static OnnxGraphBuilder of(GptWeights weights, GptGraphOptions options) {
        return new GptGraph(weights, options).build();
    }

    private OnnxGraphBuilder build() {
        String ids = graph.input("input_ids", DataType.INT64, "batch_size", "sequence_length");
        String mask = graph.input("attention_mask", DataType.INT64, "batch_size", "total_sequence_length");
        String positions = graph.input("position_ids", DataType.INT64, "batch_size", "sequence_length");
        declareConstants();
        String seqlens = lastPositions(mask);
        String total = totalLength(mask);

        String tokenEmbedding = switch (options.precision()) {
            case FP32, FP16 -> embedTokens(ids);
            case INT8 -> embedTokensInt8(ids);
            case INT4 -> embedTokensInt4(ids);
        };
        String table = config.family().positionEmbedding();
        String positionEmbedding = graph.node("Gather", node(table, "Gather"))
                .in(weight(table, config.context(), config.width()), positions)
                .out();
        if (options.hasNewTokens()) {
            tokenEmbedding = embedNewTokens(ids, tokenEmbedding);
        }
        Stream embedded = embed(tokenEmbedding, positionEmbedding);
        Stream stream = blocks(embedded, seqlens, total);
        head(stream.normalised());
        if (options.hasNewHead()) {
            adaptableTaskHead(stream.normalised());
        } else {
            weights.head().ifPresent(task -> taskHead(task, stream.normalised()));
        }
        return graph;
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

    private Stream blocks(Stream embedded, String seqlens, String total) {
        Stream stream = embedded;
        for (int layer = 0; layer < config.layers(); layer++) {
            stream = block(layer, stream, seqlens, total);
        }
        return stream;
    }

    private Stream block(int layer, Stream in, String seqlens, String total) {
        int d = config.width();
        String name = "h." + layer;
        String qkv = adaptable(in.normalised(), name + ".attn.c_attn", d, 3 * d);
        String biased = graph.node("Add", name + ".attn.c_attn/Add")
                .in(qkv, bias(name + ".attn.c_attn", 3 * d))
                .out();
        String attention = attention(layer, biased, seqlens, total);
        String residual = in.residual();
        if (layer == config.layers() - 1 && !options.allPositions()) {
            attention = lastToken("attention", attention);
            residual = lastToken("residual", residual);
        }
        String projected = adaptable(attention, name + ".attn.c_proj", d, d);
        boolean postNorm = config.family().isPostNorm();
        String middleNorm = name + (postNorm ? ".ln_1" : ".ln_2");
        Stream middle =
                addAndNormalise(name + ".attn", projected, residual, bias(name + ".attn.c_proj", d), middleNorm);
        String widened = adaptable(middle.normalised(), name + ".mlp.c_fc", d, 4 * d);
        String activated = graph.contrib("FastGelu", name + ".mlp/FastGelu")
                .in(widened, bias(name + ".mlp.c_fc", 4 * d))
                .out();
        String narrowed = adaptable(activated, name + ".mlp.c_proj", 4 * d, d);
        String nextNorm = layer + 1 < config.layers() ? "h." + (layer + 1) + ".ln_1" : "ln_f";
        return addAndNormalise(
                name + ".mlp",
                narrowed,
                middle.residual(),
                bias(name + ".mlp.c_proj", d),
                postNorm ? name + ".ln_2" : nextNorm);
    }

    private String attention(int layer, String qkv, String seqlens, String total) {
        int heads = config.heads();
        KvScales scales = options.kvScales();
        DataType cacheType = scales == null ? DataType.FLOAT : DataType.INT8;
        String past = "past_key_values." + layer + ".";
        String present = "present." + layer + ".";
        String pastKey =
                graph.input(past + "key", cacheType, "batch_size", heads, "past_sequence_length", config.headSize());
        String pastValue =
                graph.input(past + "value", cacheType, "batch_size", heads, "past_sequence_length", config.headSize());
        String name = "h." + layer + ".attn/GroupQueryAttention";
        OnnxGraphBuilder.Node attention = graph.contrib("GroupQueryAttention", name)
                .in(qkv, "", "", pastKey, pastValue, seqlens, total)
                .with("num_heads", heads)
                .with("kv_num_heads", heads);
        if (config.isBanded(layer)) {
            attention.with("local_window_size", config.window());
        }
        if (scales != null) {
            // Rotary tables, positions, bias and sink are left out.
            attention
                    .in("", "", "", "", "")
                    .in(graph.scalars(name + "/key_scale", scales.keys()[layer]))
                    .in(graph.scalars(name + "/value_scale", scales.values()[layer]))
                    .with("k_quant_type", "PER_TENSOR")
                    .with("v_quant_type", "PER_TENSOR")
                    .with("kv_cache_bit_width", 8);
        }
        attention.to(name, present + "key", present + "value");
        Object[] dims = {"batch_size", heads, "total_sequence_length", config.headSize()};
        graph.output(present + "key", cacheType, dims);
        graph.output(present + "value", cacheType, dims);
        return name;
    }

    /** {@code sum = x + residual + bias} and its layer norm, in one node; the next sum takes one of the two. */
    private Stream addAndNormalise(String name, String x, String residual, String bias, String norm) {
        String normalised = name + "/SkipLayerNorm";
        OnnxGraphBuilder.Node node = graph.contrib("SkipLayerNormalization", normalised)
                .in(x, residual, weight(norm + ".weight", config.width()), weight(norm + ".bias", config.width()), bias)
                .with("epsilon", (float) GptConfig.LAYER_NORM_EPSILON);
        if (config.family().isPostNorm()) {
            node.to(normalised);
            return new Stream(normalised, normalised);
        }
        node.to(normalised, "", "", name + "/residual");
        return new Stream(name + "/residual", normalised);
    }

    private String lastToken(String name, String x) {
        return graph.node("Gather", "last/" + name)
                .in(x, "const/last")
                .with("axis", 1)
                .out();
    }

    private void head(String normalised) {
        Object tokens = options.allPositions() ? "sequence_length" : 1;
        String table = config.family().tokenEmbedding();
        String sum = config.outputBias() ? "head/scores" : "logits";
        String scores = options.hasNewTokens() ? "head/base_scores" : sum;
        switch (options.precision()) {
            case FP32, FP16 ->
                graph.contrib("FusedMatMul", "head/MatMul")
                        .in(normalised, table)
                        .with("transB", 1)
                        .to(scores);
            case INT8 -> {
                String transposed = graph.node("Transpose", "head/Transpose")
                        .in(table + "_int8")
                        .out();
                String scales = graph.node("Reshape", "head/Scales")
                        .in(table + "_scale", "const/flat")
                        .out();
                multiplyInt8(normalised, "head", transposed, scales, scores);
            }
            case INT4 -> {
                String blocks = graph.node("Reshape", "head/Blocks")
                        .in(table + "_int4", "const/blocks")
                        .out();
                multiplyInt4(
                        normalised,
                        "head/MatMul",
                        blocks,
                        table + "_scale",
                        config.width(),
                        config.vocabularySize(),
                        scores);
            }
        }
        if (options.hasNewTokens()) {
            scoreNewTokens(normalised, scores, sum);
        }
        if (config.outputBias()) {
            graph.node("Add", "head/Add")
                    .in(sum, weight(GptConfig.OUTPUT_BIAS, config.vocabularySize()))
                    .to("logits");
        }
        graph.output("logits", DataType.FLOAT, "batch_size", tokens, config.vocabularySize());
    }

    /**
     * The head of a task, too small to be worth eight bits. A similarity's answer is the sum over both orders of its texts,
     * each of which gets half of the bias.
     */
    private void taskHead(TaskHead task, String normalised) {
        taskHead(
                normalised,
                weight(TaskHead.WEIGHT, task.outputs(), config.width()),
                task.task() == FinetuneTask.SIMILARITY ? halfBias(task) : weight(TaskHead.BIAS, task.outputs()),
                task.outputs());
    }

    private void taskHead(String normalised, String weight, String bias, Object outputs) {
        Object tokens = options.allPositions() ? "sequence_length" : 1;
        String scores = graph.contrib("FusedMatMul", "class_head/MatMul")
                .in(normalised, weight)
                .with("transB", 1)
                .out();
        graph.node("Add", "class_head/Add").in(scores, bias).to(CLASS_LOGITS);
        graph.output(CLASS_LOGITS, DataType.FLOAT, "batch_size", tokens, outputs);
    }

    // ---- What an active adapter adds, and nothing adds up to zero: the products of two inputs whose rank is zero by
    // default.

    /** {@code x W}, and {@code x A B} where adapters change W. */
    private String adaptable(String x, String name, int inputs, int outputs) {
        String product = linear(x, name, inputs, outputs);
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
        return graph.floats(
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

    // ---- Matrices: y = x W, without the bias, which the node after it adds.

    private String linear(String x, String name, int inputs, int outputs) {
        return switch (options.precision()) {
            case FP32, FP16 ->
                graph.node("MatMul", name + "/MatMul")
                        .in(x, weight(name + ".weight", inputs, outputs))
                        .out();
            case INT8 -> linearInt8(x, name, inputs, outputs);
            case INT4 -> linearInt4(x, name, inputs, outputs);
        };
    }

    private String linearInt8(String x, String name, int inputs, int outputs) {
        LazyQuantised quantised =
                new LazyQuantised(() -> Row8.perColumn(weights.tensor(name + ".weight"), inputs, outputs));
        String values = graph.constant(name + ".weight_int8", DataType.INT8, quantised::values, inputs, outputs);
        String scales = graph.floats(name + ".weight_scale", quantised::scales, outputs);
        return multiplyInt8(x, name, values, scales, name + "/MatMul");
    }

    private String linearInt4(String x, String name, int inputs, int outputs) {
        LazyQuantised quantised =
                new LazyQuantised(() -> Block4.perColumn(weights.tensor(name + ".weight"), inputs, outputs));
        int blocks = Block4.blocks(inputs);
        String values =
                graph.constant(name + ".weight_int4", DataType.UINT8, quantised::values, outputs, blocks, Block4.BYTES);
        String scales = graph.floats(name + ".weight_scale", quantised::scales, outputs, blocks);
        String output = name + "/MatMul";
        return multiplyInt4(x, output, values, scales, inputs, outputs, output);
    }

    /**
     * {@code y = x W} with four-bit weights. The accuracy level asks for activations in eight bits, rounded by block within
     * each token: the only kernel that gives a row the same numbers whatever else is in its batch.
     */
    private String multiplyInt4(
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

    /**
     * {@code y = x W} in integers, with a scale for each token: {@code a = max|x|}, {@code y = (127 x / a rounded) W *
     * scales / 127 * a}. The activations are unsigned with zero point 128 because that is the fast kernel on x86.
     */
    private String multiplyInt8(String x, String name, String values, String scales, String output) {
        String magnitudes = graph.node("Abs", name + "/Abs").in(x).out();
        String max = graph.node("ReduceMax", name + "/Max")
                .in(magnitudes, "const/last")
                .with("keepdims", 1)
                .out();
        // Guards the division where a row is all zeros.
        String largest =
                graph.node("Max", name + "/AbsMax").in(max, "const/tiny").out();
        String scaled = graph.node("Div", name + "/Div").in(x, largest).out();
        String rounded = graph.node("QuantizeLinear", name + "/Quantize")
                .in(scaled, "const/1_127", "const/128")
                .out();
        // Said outright, and for each matrix anew, because ONNX Runtime rewrites it together with the weights on
        // processors
        // whose signed kernel would overflow.
        String zero = graph.constant(name + ".weight_zero", DataType.INT8, () -> new byte[1]);
        String product = graph.contrib("MatMulIntegerToFloat", name + "/MatMulInteger")
                .in(rounded, values, "const/1_127", scales, "const/128", zero)
                .out();
        return graph.node("Mul", name + "/Rescale").in(product, largest).to(output);
    }

    // ---- Embeddings.

    private String embedTokens(String ids) {
        String table = config.family().tokenEmbedding();
        return graph.node("Gather", node(table, "Gather"))
                .in(weight(table, config.vocabularySize(), config.width()), ids)
                .out();
    }

    /** The table that the head multiplies with, looked up and scaled back, so that it is stored once. */
    private String embedTokensInt8(String ids) {
        int vocabulary = config.vocabularySize();
        String table = config.family().tokenEmbedding();
        LazyQuantised quantised =
                new LazyQuantised(() -> Row8.perRow(weights.tensor(table), vocabulary, config.width()));
        graph.constant(table + "_int8", DataType.INT8, quantised::values, vocabulary, config.width());
        graph.floats(table + "_scale", quantised::scales, vocabulary, 1);
        String values = graph.node("Gather", node(table, "Gather"))
                .in(table + "_int8", ids)
                .out();
        String floats = graph.node("Cast", node(table, "Cast"))
                .in(values)
                .with("to", DataType.FLOAT.getNumber())
                .out();
        String scales = graph.node("Gather", node(table, "GatherScale"))
                .in(table + "_scale", ids)
                .out();
        return graph.node("Mul", node(table, "Mul")).in(floats, scales).out();
    }

    /** The table that the head multiplies with, stored once; rows of whole blocks, of which the filling is cut off. */
    private String embedTokensInt4(String ids) {
        int vocabulary = config.vocabularySize();
        int width = config.width();
        int blocks = Block4.blocks(width);
        String table = config.family().tokenEmbedding();
        LazyQuantised quantised = new LazyQuantised(() -> Block4.perRow(weights.tensor(table), vocabulary, width));
        String values = graph.constant(
                table + "_int4", DataType.UINT8, quantised::values, vocabulary, (long) blocks * Block4.BYTES);
        String scales = graph.floats(table + "_scale", quantised::scales, vocabulary, blocks);
        String rows = graph.contrib("GatherBlockQuantized", node(table, "GatherBlockQuantized"))
                .in(values, ids, scales)
                .with("gather_axis", 0)
                .with("quantize_axis", 1)
                .with("block_size", Block4.SIZE)
                .with("bits", 4)
                .out();
        if (width == blocks * Block4.SIZE) {
            return rows;
        }
        return graph.node("Slice", node(table, "Slice"))
                .in(rows, graph.longs("const/first", 0), graph.longs("const/width", width), "const/last")
                .out();
    }

    /** The name of what is done with a table, after the table: {@code wte/Gather}. */
    private static String node(String table, String operation) {
        return table.replace(".weight", "/" + operation);
    }

    // ---- What GroupQueryAttention wants to know of lengths.

    /** {@code int32 [batch]}: the position of each row's last token, which is its number of ones less one. */
    private String lastPositions(String mask) {
        String lengths = graph.node("ReduceSum", "mask/ReduceSum")
                .in(mask, "const/axis1")
                .with("keepdims", 0)
                .out();
        String positions =
                graph.node("Sub", "mask/Sub").in(lengths, "const/one_int64").out();
        return graph.node("Cast", "mask/seqlens_k")
                .in(positions)
                .with("to", DataType.INT32.getNumber())
                .out();
    }

    /** {@code int32 [1]}: the width of the mask. */
    private String totalLength(String mask) {
        String width = graph.node("Shape", "mask/Shape")
                .in(mask)
                .with("start", 1)
                .with("end", 2)
                .out();
        return graph.node("Cast", "mask/total_sequence_length")
                .in(width)
                .with("to", DataType.INT32.getNumber())
                .out();
    }

    // ---- Constants.

    private void declareConstants() {
        graph.longs("const/axis1", 1);
        graph.longs("const/one_int64", 1);
        boolean hasFilling = options.precision() == Precision.INT4 && config.width() % Block4.SIZE != 0;
        if (!options.allPositions() || options.precision() == Precision.INT8 || hasFilling) {
            graph.longs("const/last", -1);
        }
        if (options.precision() == Precision.INT4) {
            graph.longs("const/blocks", config.vocabularySize(), Block4.blocks(config.width()), Block4.BYTES);
        }
        if (options.precision() == Precision.INT8) {
            graph.longs("const/flat", -1);
            graph.scalar("const/1_127", 1f / 127);
            graph.scalar("const/tiny", 1e-20f);
            graph.constant("const/128", DataType.UINT8, () -> new byte[] {(byte) 128});
        }
    }

    private String weight(String name, long... shape) {
        if (options.precision() != Precision.FP16) {
            return graph.floats(name, () -> weights.tensor(name), shape);
        }
        // ONNX Runtime computes casts of constants once, when it loads the model.
        String halves = graph.constant(
                name + "_fp16", DataType.FLOAT16, () -> HalfFloats.bytes(name, weights.tensor(name)), shape);
        return graph.node("Cast", name + "/Cast")
                .in(halves)
                .with("to", DataType.FLOAT.getNumber())
                .to(name);
    }

    private String bias(String matrix, int outputs) {
        return weight(matrix + ".bias", outputs);
    }
}
