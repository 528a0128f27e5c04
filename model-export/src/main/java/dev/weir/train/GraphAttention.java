package dev.weir.train;

/**
 * How a graph's tokens come in, attend to those before them in a cache that lies outside of the graph, and which of them
 * logits come out for. Used by one thread, which calls {@link #tokens} first.
 */
interface GraphAttention {
    /**
     * The tokens of a run, one id and one position each, in one shape: {@code [tokens...]}.
     *
     * @param ids name of the ids
     * @param positions name of the positions
     */
    record Tokens(String ids, String positions) {}

    /** Declares the graph's inputs, all but the cache. */
    Tokens tokens();

    /**
     * Attention of one layer, with its part of the cache as inputs and outputs of the graph.
     *
     * @param qkv query, key and value side by side, {@code [tokens..., 3 width]}
     * @return {@code [tokens..., width]}
     */
    String attend(int layer, String qkv);

    /** The rows {@code [wanted..., width]} of {@code x [tokens..., width]} whose logits are wanted. */
    String wanted(String name, String x);

    /** The dimensions of an output of so many numbers for each token that logits are wanted of. */
    Object[] dims(Object size);
}
