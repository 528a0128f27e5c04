package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.weir.onnx.ModelFolder;
import java.util.List;

/**
 * Attention on CUDA, by {@code com.microsoft.PagedAttention}: the tokens of all sequences of a step one after the other,
 * without padding, and a cache of blocks, {@code [blocks, block size, kv heads, head size]}, of which each sequence has some in
 * any order ("Efficient Memory Management for Large Language Model Serving with PagedAttention", Kwon et al., 2023).
 *
 * <p>Inputs, as ONNX Runtime GenAI's engine calls them where it has them, for {@code t} tokens of {@code b} sequences:
 *
 * <ul>
 *   <li>{@code input_ids}, {@code position_ids int64 [t]}; the position in its own sequence, which a model with rotary
 *       positions does not ask for: there it is what {@code past_sequence_lengths} says, and so on from it
 *   <li>{@code cumulative_sequence_lengths int32 [b + 1]}: where each sequence's tokens begin, and {@code t}
 *   <li>{@code past_sequence_lengths int32 [b]}: tokens that each sequence has in the cache, without those of this step
 *   <li>{@code block_table int32 [b, most blocks]}: where attention reads
 *   <li>{@code slot_mapping int32 [t]}: where each token's key and value are written, block times block size plus offset; -1
 *       writes nothing
 *   <li>{@code attention_metadata int32 [2]}, in the CPU's memory: most new tokens of a sequence, and most tokens of one, the
 *       cached ones included; bounds, where too low a one loses attention
 *   <li>{@code logits_indices int32 [n]}: the tokens, counted from the first of the step, whose logits are wanted; at least
 *       one. The name is vLLM's; GenAI takes the logits of all tokens
 *   <li>{@code past_key_values.N.key|value} and, as outputs bound to the very same memory, {@code present.N.key|value}
 * </ul>
 *
 * <p>The operator's limits: head size a multiple of 8, block size a power of two from 16, and 256 for its fastest kernels with
 * every head size.
 */
final class PagedAttention implements GraphAttention {
    /** Tokens of a block that suit all kernels. */
    static final int BLOCK_SIZE = 256;

    /** Of the inputs that a graph for the CPU has not, those that GenAI gives names to. */
    static final List<String> GENAI_INPUTS =
            List.of("cumulative_sequence_lengths", "past_sequence_lengths", "block_table", "attention_metadata");

    static final String SLOT_MAPPING = "slot_mapping";

    private final OnnxGraphBuilder graph;
    private final GptConfig config;
    private final GptGraphOptions options;
    private final GraphWeights constants;

    private String cosines = "";
    private String sines = "";

    PagedAttention(OnnxGraphBuilder graph, GptConfig config, GptGraphOptions options, GraphWeights constants) {
        this.graph = graph;
        this.config = config;
        this.options = options;
        this.constants = constants;
    }

    @Override
    public Tokens tokens() {
        String ids = graph.input("input_ids", DataType.INT64, "num_tokens");
        String positions = config.llama() == null ? graph.input("position_ids", DataType.INT64, "num_tokens") : "";
        graph.input("cumulative_sequence_lengths", DataType.INT32, "batch_size_plus_one");
        graph.input("past_sequence_lengths", DataType.INT32, "batch_size");
        graph.input("block_table", DataType.INT32, "batch_size", "max_blocks_per_sequence");
        graph.input(SLOT_MAPPING, DataType.INT32, "num_tokens");
        graph.input("attention_metadata", DataType.INT32, 2);
        graph.input(ModelFolder.LOGITS_INDICES, DataType.INT32, WANTED);
        if (config.llama() != null) {
            cosines = constants.cosines();
            sines = constants.sines();
        }
        return new Tokens(ids, positions);
    }

    @Override
    public String attend(int layer, String block, String qkv) {
        KvScales scales = options.kvScales();
        DataType cacheType = scales == null ? constants.type() : DataType.INT8;
        Object[] dims = {"num_blocks", "block_size", config.kvHeads(), config.headSize()};
        String key = graph.input("past_key_values." + layer + ".key", cacheType, dims);
        String value = graph.input("past_key_values." + layer + ".value", cacheType, dims);
        String name = block + "/PagedAttention";
        OnnxGraphBuilder.Node attention = graph.contrib("PagedAttention", name)
                .in(qkv, "", "", key, value)
                .in("cumulative_sequence_lengths", "past_sequence_lengths", "block_table")
                .in(cosines, sines)
                .in(SLOT_MAPPING)
                .in("", "", "") // sink, and norms of query and key
                .with("num_heads", config.heads())
                .with("kv_num_heads", config.kvHeads());
        if (config.llama() != null) {
            attention.with("do_rotary", 1);
        }
        if (config.isBanded(layer)) {
            attention.with("local_window_size", config.window());
        }
        if (scales == null) {
            attention.in("", "");
        } else {
            attention
                    .in(graph.scalars(name + "/key_scale", scales.keys()[layer]))
                    .in(graph.scalars(name + "/value_scale", scales.values()[layer]))
                    .with("k_quant_type", "PER_TENSOR")
                    .with("v_quant_type", "PER_TENSOR");
        }
        String presentKey = "present." + layer + ".key";
        String presentValue = "present." + layer + ".value";
        attention.in("attention_metadata").to(name, presentKey, presentValue);
        graph.output(presentKey, cacheType, dims);
        graph.output(presentValue, cacheType, dims);
        return name;
    }

    @Override
    public String wanted(String name, String x) {
        return graph.node("Gather", "wanted/" + name)
                .in(x, ModelFolder.LOGITS_INDICES)
                .out();
    }

    @Override
    public Object[] dims(Object size) {
        return new Object[] {WANTED, size};
    }
}
