package dev.weir.protocol;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/responses}, and what a {@code response.create} event asks for. Immutable; any thread.
 *
 * @param model name of the model, or null for the one that is served
 * @param input the conversation, at least one message
 * @param instructions the system message, which precedes the input; may be null
 * @param sampling how to choose tokens and when to stop
 * @param stream whether to answer with server-sent events; a WebSocket always streams
 * @param metadata the caller's own notes, given back in the response
 */
public record ResponseRequest(
        @Nullable String model,
        List<ChatMessage> input,
        @Nullable String instructions,
        SamplingFields sampling,
        boolean stream,
        Map<String, String> metadata) {
    public ResponseRequest {
        input = List.copyOf(input);
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /** A streamed ask of one user message. */
    public static ResponseRequest of(@Nullable String model, String input, SamplingFields sampling) {
        return new ResponseRequest(model, List.of(new ChatMessage("user", input)), null, sampling, true, Map.of());
    }

    /** The conversation with the instructions as its first message. */
    public List<ChatMessage> messages() {
        if (instructions == null) {
            return input;
        }
        List<ChatMessage> all = new ArrayList<>(input.size() + 1);
        all.add(new ChatMessage("system", instructions));
        all.addAll(input);
        return List.copyOf(all);
    }
}
