package dev.weir.engine;

/** The prompt leaves no room for a single new token in the model's context. */
public final class ContextLengthExceededException extends IllegalArgumentException {
    private final int promptTokens;
    private final int maxTokens;

    ContextLengthExceededException(int promptTokens, int maxTokens) {
        super("the prompt has " + promptTokens + " tokens but the context holds " + maxTokens
                + ", of which at least one must be left for the answer");
        this.promptTokens = promptTokens;
        this.maxTokens = maxTokens;
    }

    public int promptTokens() {
        return promptTokens;
    }

    /** Tokens that the context holds, prompt and answer together. */
    public int maxTokens() {
        return maxTokens;
    }
}
