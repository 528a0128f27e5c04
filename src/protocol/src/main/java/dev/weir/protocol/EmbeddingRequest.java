package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/embeddings}. Immutable; any thread.
 *
 * @param model name of the model, or null for the one that is served
 * @param input texts or token ids, at least one
 * @param isBase64 whether the numbers are answered as the base64 of their bytes, four each, least significant first
 * @param dimensions how many numbers to answer with; null for all
 */
public record EmbeddingRequest(
        @Nullable String model,
        List<Prompt> input,
        boolean isBase64,
        @Nullable Integer dimensions) {
    public EmbeddingRequest {
        input = List.copyOf(input);
    }
}
