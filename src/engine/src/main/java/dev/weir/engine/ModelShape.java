package dev.weir.engine;

/**
 * The sizes that the scheduler and the sampler must know of a loaded model. Immutable; any thread.
 *
 * @param vocabularySize logits per row
 * @param slots sequences whose cache fits at once
 * @param maxTokens tokens that one slot holds, prompt and answer together (the context length)
 * @param eosTokenIds the model's own end-of-sequence tokens, possibly none
 * @param prefixPool the memory for a prefix cache
 */
@SuppressWarnings("ArrayRecordComponent") // one or two ids, never compared
public record ModelShape(int vocabularySize, int slots, int maxTokens, int[] eosTokenIds, PrefixPool prefixPool) {
    /** The same with another pool. */
    public ModelShape withPrefixPool(PrefixPool pool) {
        return new ModelShape(vocabularySize, slots, maxTokens, eosTokenIds, pool);
    }

    public ModelShape {
        if (vocabularySize < 1 || slots < 1 || maxTokens < 2) {
            throw new IllegalArgumentException("vocabularySize " + vocabularySize + ", slots " + slots + ", maxTokens "
                    + maxTokens + ": all must be positive and maxTokens at least 2");
        }
    }
}
