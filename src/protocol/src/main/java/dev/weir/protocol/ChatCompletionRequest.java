package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/chat/completions}. Immutable; any thread.
 *
 * @param model name of the model, or null for the one that is served
 * @param messages the conversation, at least one message
 * @param sampling how to choose tokens and when to stop
 * @param tools the functions that may be called
 * @param n answers
 * @param stream whether to answer with server-sent events
 * @param includeUsage whether the stream ends with a chunk that counts tokens
 */
public record ChatCompletionRequest(
        @Nullable String model,
        List<ChatMessage> messages,
        SamplingFields sampling,
        Tools tools,
        int n,
        boolean stream,
        boolean includeUsage) {
    public ChatCompletionRequest {
        messages = List.copyOf(messages);
    }

    /** An ask for one answer, in words. */
    public ChatCompletionRequest(
            @Nullable String model,
            List<ChatMessage> messages,
            SamplingFields sampling,
            boolean stream,
            boolean includeUsage) {
        this(model, messages, sampling, Tools.NONE, 1, stream, includeUsage);
    }
}
