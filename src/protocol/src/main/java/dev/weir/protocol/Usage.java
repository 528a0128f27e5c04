package dev.weir.protocol;

/**
 * Tokens of one answered request. Immutable; any thread.
 *
 * @param promptTokens tokens of the prompt, template included
 * @param completionTokens tokens generated, the one that ended the text included
 */
public record Usage(int promptTokens, int completionTokens) {
    /** Both together. */
    public int totalTokens() {
        return promptTokens + completionTokens;
    }
}
