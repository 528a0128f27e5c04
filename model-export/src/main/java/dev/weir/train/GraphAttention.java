package dev.weir.train;

/**
 * How a graph's tokens come in, attend to those before them in a cache that lies outside of the graph, and which of them
 * logits come out for. Used by one thread, which calls {@link #tokens} first.
 */
interface GraphAttention {
    /** Sizes of heads that the operators take are multiples of this. */
    int HEAD_SIZE_STEP = 8;

    /** The dimension of the tokens whose logits are wanted. */
    String WANTED = "num_logits";

    /**
     * The one for the export's target.
     *
     * @throws UserError if its operator does not take heads of the model's size
     */
    static GraphAttention of(
            OnnxGraphBuilder graph, GptConfig config, GptGraphOptions options, GraphWeights constants) {
        if (config.headSize() % HEAD_SIZE_STEP != 0) {
            throw new UserError("a head of this model has width / heads = " + config.width() + " / " + config.heads()
                    + " = " + config.headSize() + " elements, but ONNX Runtime's attention takes multiples of "
                    + HEAD_SIZE_STEP + " only");
        }
        return switch (options.target()) {
            case CPU, CUDA_SLOTS -> new SlotAttention(graph, config, options, constants);
            case CUDA -> new PagedAttention(graph, config, options, constants);
        };
    }

    /**
     * The tokens of a run, one id and one position each, in one shape: {@code [tokens...]}.
     *
     * @param ids name of the ids
     * @param positions name of the positions; empty where attention itself knows them and turns queries and keys by them
     */
    record Tokens(String ids, String positions) {}

    /** Declares the graph's inputs, all but the cache. */
    Tokens tokens();

    /**
     * Attention of one layer, with its part of the cache as inputs and outputs of the graph.
     *
     * @param name of the node, less its operator
     * @param qkv query, key and value side by side, {@code [tokens..., (heads + 2 kv heads) head size]}
     * @return {@code [tokens..., width]}
     */
    String attend(int layer, String name, String qkv);

    /** The rows {@code [wanted..., width]} of {@code x [tokens..., width]} whose logits are wanted. */
    String wanted(String name, String x);

    /** The dimensions of an output of so many numbers for each token that logits are wanted of. */
    Object[] dims(Object size);
}
