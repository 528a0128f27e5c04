package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/completions}. Immutable; any thread.
 *
 * @param model name of the model, or null for the one that is served
 * @param prompts texts or token ids to continue, at least one
 * @param sampling how to choose tokens and when to stop
 * @param n answers to each prompt
 * @param bestOf answers that are generated for each prompt, of which the {@code n} most likely are given; at least {@code n}
 * @param echo whether each answer begins with its prompt
 * @param stream whether to answer with server-sent events
 * @param includeUsage whether the stream ends with a chunk that counts tokens
 */
public record CompletionRequest(
        @Nullable String model,
        List<Prompt> prompts,
        SamplingFields sampling,
        int n,
        int bestOf,
        boolean echo,
        boolean stream,
        boolean includeUsage) {
    public CompletionRequest {
        prompts = List.copyOf(prompts);
    }

    /** An ask for one answer to one prompt. */
    public CompletionRequest(
            @Nullable String model, Prompt prompt, SamplingFields sampling, boolean stream, boolean includeUsage) {
        this(model, List.of(prompt), sampling, 1, 1, false, stream, includeUsage);
    }
}
