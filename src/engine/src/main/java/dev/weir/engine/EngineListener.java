package dev.weir.engine;

/**
 * Told what the engine does, for metrics and events. Called on the engine thread between steps, by several threads at once where
 * several devices compute: must return at once and must not throw.
 */
public interface EngineListener {
    /** A listener that does nothing. */
    EngineListener NONE = new EngineListener() {};

    /** A sequence left the queue and has a slot; {@code queueNanos} is how long it waited. */
    default void admitted(GenerationRequest request, long queueNanos) {}

    /** The first token of a sequence was committed, {@code nanos} after the request was made. */
    default void firstToken(GenerationRequest request, long nanos) {}

    /**
     * The first token of a sequence was committed by an engine with a prefix cache, which held {@code cachedTokens} of its
     * prompt.
     */
    default void prefixLookedUp(GenerationRequest request, int cachedTokens) {}

    /** A later token of a sequence was committed, {@code nanos} after the one before. */
    default void nextToken(GenerationRequest request, long nanos) {}

    /** A sequence ended for whatever reason, {@code nanos} after the request was made; waiting ones too. */
    default void finished(GenerationRequest request, FinishReason reason, int generatedTokens, long nanos) {}

    /** A step was given up after {@code nanos} for a request that had just come; what it should have computed is computed again. */
    default void interrupted(long nanos) {}

    /** A step was committed. */
    default void stepped(StepStats stats) {}

    /**
     * One committed step in numbers.
     *
     * @param decodeTokens tokens decoded
     * @param prefillTokens prompt tokens computed
     * @param idleRows rows computed for nobody
     * @param draftedTokens guesses of an answer's next tokens that were checked, which the decoded tokens do not count
     * @param acceptedTokens of which so many held
     * @param planNanos time to plan
     * @param runNanos time in the model runner
     * @param sampleNanos of the time after the run, that in which tokens were chosen
     * @param commitNanos time to sample, commit and publish
     */
    record StepStats(
            int decodeTokens,
            int prefillTokens,
            int idleRows,
            int draftedTokens,
            int acceptedTokens,
            long planNanos,
            long runNanos,
            long sampleNanos,
            long commitNanos) {}
}
