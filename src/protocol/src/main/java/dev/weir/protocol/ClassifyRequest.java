package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/classify} in vLLM's shape. Immutable; any thread.
 *
 * @param model name of the model, or null for the one that is served
 * @param input the texts, at least one
 */
public record ClassifyRequest(@Nullable String model, List<String> input) {
    public ClassifyRequest {
        input = List.copyOf(input);
    }
}
