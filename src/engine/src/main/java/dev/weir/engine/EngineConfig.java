package dev.weir.engine;

/**
 * The engine's settings. Immutable; any thread.
 *
 * @param maxQueuedRequests requests that may wait for a slot; one more is refused with {@link OverloadedException}
 * @param maxQueuedTokens tokens that the prompts of those may have together, though one prompt may always wait by itself
 * @param tokenBudget tokens that are computed at most from one step with decode rows to the next, decode rows first, prefill chunks
 *     with the rest; at least one chunk is always planned when a prompt waits
 * @param prefillChunk tokens of a prefill chunk; chunks start at multiples of it, whatever else runs, so that a
 *     sequence's arithmetic never depends on its neighbours
 * @param maxChunksPerStep prefill chunks among them at most
 * @param draftTokens tokens of an answer that are guessed and checked in one step at most, while no other is decoded; 0 for
 *     none
 */
public record EngineConfig(
        int maxQueuedRequests,
        int maxQueuedTokens,
        int tokenBudget,
        int prefillChunk,
        int maxChunksPerStep,
        int draftTokens) {
    public static final EngineConfig DEFAULT = new EngineConfig(256, 1 << 18, 512, 128, 8, 7);

    /** Settings without drafts. */
    public EngineConfig(
            int maxQueuedRequests, int maxQueuedTokens, int tokenBudget, int prefillChunk, int maxChunksPerStep) {
        this(maxQueuedRequests, maxQueuedTokens, tokenBudget, prefillChunk, maxChunksPerStep, 0);
    }

    public EngineConfig {
        if (maxQueuedRequests < 0
                || maxQueuedTokens < 0
                || tokenBudget < 1
                || prefillChunk < 1
                || maxChunksPerStep < 1
                || draftTokens < 0) {
            throw new IllegalArgumentException("max-queued-requests " + maxQueuedRequests + ", max-queued-tokens "
                    + maxQueuedTokens + ", token-budget " + tokenBudget + ", prefill-chunk " + prefillChunk
                    + ", max-chunks-per-step " + maxChunksPerStep + ", draft-tokens " + draftTokens
                    + ": the first two and the last must be at least 0, the others at least 1");
        }
    }

    public EngineConfig withMaxQueuedRequests(int value) {
        return new EngineConfig(value, maxQueuedTokens, tokenBudget, prefillChunk, maxChunksPerStep, draftTokens);
    }

    public EngineConfig withMaxQueuedTokens(int value) {
        return new EngineConfig(maxQueuedRequests, value, tokenBudget, prefillChunk, maxChunksPerStep, draftTokens);
    }

    public EngineConfig withDraftTokens(int value) {
        return new EngineConfig(maxQueuedRequests, maxQueuedTokens, tokenBudget, prefillChunk, maxChunksPerStep, value);
    }
}
