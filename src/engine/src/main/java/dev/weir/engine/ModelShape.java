package dev.weir.engine;

/**
 * The sizes that the scheduler and the sampler must know of a loaded model. Immutable; any thread.
 *
 * @param vocabularySize logits per row
 * @param slots sequences whose cache fits at once
 * @param maxTokens tokens that one slot holds, prompt and answer together (the context length)
 * @param eosTokenIds the model's own end-of-sequence tokens, possibly none
 * @param prefixPool the memory for a prefix cache
 * @param draftTokens tokens after an answer's newest that a step can compute and score together with it, to the bit as if
 *     they came one by one; 0 if the model cannot
 */
@SuppressWarnings("ArrayRecordComponent") // one or two ids, never compared
public record ModelShape(
        int vocabularySize, int slots, int maxTokens, int[] eosTokenIds, PrefixPool prefixPool, int draftTokens) {
    /** The same with another pool. */
    public ModelShape withPrefixPool(PrefixPool pool) {
        return new ModelShape(vocabularySize, slots, maxTokens, eosTokenIds, pool, draftTokens);
    }

    /** The same with another number of draft tokens. */
    public ModelShape withDraftTokens(int tokens) {
        return new ModelShape(vocabularySize, slots, maxTokens, eosTokenIds, prefixPool, tokens);
    }

    /** A model that computes an answer's tokens one by one. */
    public ModelShape(int vocabularySize, int slots, int maxTokens, int[] eosTokenIds, PrefixPool prefixPool) {
        this(vocabularySize, slots, maxTokens, eosTokenIds, prefixPool, 0);
    }

    public ModelShape {
        if (vocabularySize < 1 || slots < 1 || maxTokens < 2) {
            throw new IllegalArgumentException("vocabularySize " + vocabularySize + ", slots " + slots + ", maxTokens "
                    + maxTokens + ": all must be positive and maxTokens at least 2");
        }
    }
}
