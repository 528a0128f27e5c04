package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.weir.onnx.ModelFolder;

/**
 * Attention on the CPU, and on CUDA without blocks, by {@code com.microsoft.GroupQueryAttention}: a batch of rows of equally
 * many tokens, each row with a slot of the cache, which is {@code [batch, kv heads, capacity, head size]}.
 *
 * <p>Inputs are {@code input_ids} and {@code position_ids [batch, tokens]} and {@code attention_mask [batch, total]}, as of
 * any model in ONNX Runtime GenAI; a model with rotary positions does not ask for positions, which the mask tells. Logits come out
 * for all tokens, or for those of each row that {@code logits_indices int32 [n]} counts from the first or, below zero, from behind
 * the last: an input that need not be given and is then {@code -1}. A chunk in the midst of a prompt wants none, and is spared the
 * head.
 */
final class SlotAttention implements GraphAttention {
    private final OnnxGraphBuilder graph;
    private final GptConfig config;
    private final GptGraphOptions options;
    private final GraphWeights constants;

    private String seqlens = "";
    private String total = "";
    private String cosines = "";
    private String sines = "";

    SlotAttention(OnnxGraphBuilder graph, GptConfig config, GptGraphOptions options, GraphWeights constants) {
        this.graph = graph;
        this.config = config;
        this.options = options;
        this.constants = constants;
    }

    @Override
    public Tokens tokens() {
        String ids = graph.input("input_ids", DataType.INT64, "batch_size", "sequence_length");
        String mask = graph.input("attention_mask", DataType.INT64, "batch_size", "total_sequence_length");
        String positions = config.llama() == null
                ? graph.input("position_ids", DataType.INT64, "batch_size", "sequence_length")
                : "";
        graph.longs("const/axis1", 1);
        graph.longs("const/one_int64", 1);
        if (!options.allPositions()) {
            graph.optionalInts(ModelFolder.LOGITS_INDICES, new int[] {-1}, WANTED);
        }
        seqlens = lastPositions(mask);
        total = totalLength(mask);
        if (config.llama() != null) {
            cosines = constants.cosines();
            sines = constants.sines();
        }
        return new Tokens(ids, positions);
    }

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

    @Override
    public String attend(int layer, String block, String qkv) {
        int heads = config.kvHeads();
        KvScales scales = options.kvScales();
        DataType cacheType = scales == null ? constants.type() : DataType.INT8;
        String past = "past_key_values." + layer + ".";
        String present = "present." + layer + ".";
        String pastKey =
                graph.input(past + "key", cacheType, "batch_size", heads, "past_sequence_length", config.headSize());
        String pastValue =
                graph.input(past + "value", cacheType, "batch_size", heads, "past_sequence_length", config.headSize());
        String name = block + "/GroupQueryAttention";
        OnnxGraphBuilder.Node attention = graph.contrib("GroupQueryAttention", name)
                .in(qkv, "", "", pastKey, pastValue, seqlens, total)
                .with("num_heads", config.heads())
                .with("kv_num_heads", heads);
        if (config.isBanded(layer)) {
            attention.with("local_window_size", config.window());
        }
        if (config.llama() != null) {
            attention.in(cosines, sines).with("do_rotary", 1);
        } else if (scales != null) {
            attention.in("", "");
        }
        if (scales != null) {
            // Positions, bias and sink are left out.
            attention
                    .in("", "", "")
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

    @Override
    public String wanted(String name, String x) {
        if (options.allPositions()) {
            return x;
        }
        return graph.node("Gather", "wanted/" + name)
                .in(x, ModelFolder.LOGITS_INDICES)
                .with("axis", 1)
                .out();
    }

    @Override
    public Object[] dims(Object size) {
        return new Object[] {"batch_size", options.allPositions() ? "sequence_length" : WANTED, size};
    }
}
