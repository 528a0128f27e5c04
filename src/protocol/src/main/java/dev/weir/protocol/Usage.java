package dev.weir.protocol;

/**
 * Tokens of one answered request. Immutable; any thread.
 *
 * @param promptTokens tokens of the prompt, template included
 * @param completionTokens tokens generated, the one that ended the text included
 * @param cachedTokens tokens of the prompt that the server had computed for an earlier one
 */
public record Usage(int promptTokens, int completionTokens, int cachedTokens) {
    /** The tokens of a request that found nothing cached. */
    public Usage(int promptTokens, int completionTokens) {
        this(promptTokens, completionTokens, 0);
    }

    /** Both together. */
    public int totalTokens() {
        return promptTokens + completionTokens;
    }
}
