package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/completions}. Immutable; any thread.
 *
 * @param model name of the model, or null for the one that is served
 * @param prompt text or token ids to continue
 * @param sampling how to choose tokens and when to stop
 * @param stream whether to answer with server-sent events
 * @param includeUsage whether the stream ends with a chunk that counts tokens
 */
public record CompletionRequest(
        @Nullable String model, Prompt prompt, SamplingFields sampling, boolean stream, boolean includeUsage) {}
