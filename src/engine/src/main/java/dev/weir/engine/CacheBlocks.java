package dev.weir.engine;

/**
 * The memory of the KV cache in blocks, of which a slot takes as many as its tokens need ("Efficient Memory Management for Large
 * Language Model Serving with PagedAttention", Kwon et al., 2023). Immutable; any thread.
 *
 * <p>Where memory cannot be taken piece by piece a slot is one block, of a whole context.
 *
 * @param count blocks that the slots may hold together
 * @param tokens tokens of a block
 */
public record CacheBlocks(int count, int tokens) {
    public CacheBlocks {
        if (count < 1 || tokens < 1) {
            throw new IllegalArgumentException(
                    "cache blocks: count " + count + ", tokens " + tokens + ": both must be at least 1");
        }
    }

    /** Blocks of so many tokens. */
    public int holding(int tokenCount) {
        return Math.ceilDiv(tokenCount, tokens);
    }
}
