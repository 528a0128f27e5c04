package dev.weir.engine;

/** Why a sequence ended. */
public enum FinishReason {
    /**
     * A stop token was generated, which is the last token of the last {@link StepOutput}; or a {@link TokenConstraint} is
     * complete, and the last token is its own.
     */
    STOP,
    /** {@link SamplingParams#maxTokens()} or the model's context was used up. */
    LENGTH,
    /**
     * The subscriber cancelled, and nothing more is published; or the time limit cannot be met, and the stream ends with a
     * {@link DeadlineExceededException}.
     */
    CANCELLED,
    /** The step that held the sequence failed; the stream ends with an {@link EngineFailedException}. */
    ERROR
}
