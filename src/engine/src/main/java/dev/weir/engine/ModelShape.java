package dev.weir.engine;

/**
 * The sizes that the scheduler and the sampler must know of a loaded model. Immutable; any thread.
 *
 * @param vocabularySize logits per row
 * @param slots sequences that may be in the cache at once
 * @param maxTokens tokens that one slot holds at most, prompt and answer together (the context length)
 * @param eosTokenIds the model's own end-of-sequence tokens, possibly none
 * @param prefixPool the memory for a prefix cache
 * @param draftTokens tokens after an answer's newest that a step can compute and score together with it, to the bit as if
 *     they came one by one; 0 if the model cannot
 * @param cacheBlocks the memory for what the slots hold; at least one whole context
 */
@SuppressWarnings("ArrayRecordComponent") // one or two ids, never compared
public record ModelShape(
        int vocabularySize,
        int slots,
        int maxTokens,
        int[] eosTokenIds,
        PrefixPool prefixPool,
        int draftTokens,
        CacheBlocks cacheBlocks) {
    /** A model that computes an answer's tokens one by one and whose slots have a whole context each. */
    public ModelShape(int vocabularySize, int slots, int maxTokens, int[] eosTokenIds, PrefixPool prefixPool) {
        this(vocabularySize, slots, maxTokens, eosTokenIds, prefixPool, 0, new CacheBlocks(slots, maxTokens));
    }

    public ModelShape {
        if (vocabularySize < 1 || slots < 1 || maxTokens < 2) {
            throw new IllegalArgumentException("vocabularySize " + vocabularySize + ", slots " + slots + ", maxTokens "
                    + maxTokens + ": all must be positive and maxTokens at least 2");
        }
        if (cacheBlocks.holding(maxTokens) > cacheBlocks.count()) {
            throw new IllegalArgumentException(cacheBlocks.count() + " cache blocks of " + cacheBlocks.tokens()
                    + " tokens do not hold one sequence of maxTokens " + maxTokens);
        }
    }

    /** The same with another pool. */
    public ModelShape withPrefixPool(PrefixPool pool) {
        return new ModelShape(vocabularySize, slots, maxTokens, eosTokenIds, pool, draftTokens, cacheBlocks);
    }

    /** The same with another number of draft tokens. */
    public ModelShape withDraftTokens(int tokens) {
        return new ModelShape(vocabularySize, slots, maxTokens, eosTokenIds, prefixPool, tokens, cacheBlocks);
    }

    /** The same with other memory for its slots. */
    public ModelShape withCacheBlocks(CacheBlocks blocks) {
        return new ModelShape(vocabularySize, slots, maxTokens, eosTokenIds, prefixPool, draftTokens, blocks);
    }

    /**
     * What is true of every request to a model that two devices compute: the shorter context, and the slots of both. The prefix pool
     * stays that of one of them, as they share none.
     *
     * @throws IllegalArgumentException if it is not the same model
     */
    ModelShape and(ModelShape other) {
        if (other.vocabularySize != vocabularySize) {
            throw new IllegalArgumentException("the vocabularies have " + vocabularySize + " and "
                    + other.vocabularySize + " tokens: all devices must compute the same model");
        }
        return new ModelShape(
                vocabularySize,
                slots + other.slots,
                Math.min(maxTokens, other.maxTokens),
                eosTokenIds,
                prefixPool,
                Math.min(draftTokens, other.draftTokens),
                new CacheBlocks(cacheBlocks.count() + other.cacheBlocks.count(), cacheBlocks.tokens()));
    }
}
