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
 * @param tools the functions that may be called
 * @param stream whether to answer with server-sent events; a WebSocket always streams
 * @param metadata the caller's own notes, given back in the response
 * @param previousResponseId the response whose conversation this one goes on with; may be null
 * @param conversation the stored conversation that this one goes on with and becomes part of; may be null, and is if there is a
 *     previous response
 * @param store whether the response is kept for later, by its name
 * @param generate whether anything is written; if not, the prompt is only got ready for a later request that begins with it
 */
public record ResponseRequest(
        @Nullable String model,
        List<ChatMessage> input,
        @Nullable String instructions,
        SamplingFields sampling,
        Tools tools,
        boolean stream,
        Map<String, String> metadata,
        @Nullable String previousResponseId,
        @Nullable String conversation,
        boolean store,
        boolean generate) {
    public ResponseRequest {
        input = List.copyOf(input);
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /** A streamed ask of one user message. */
    public static ResponseRequest of(@Nullable String model, String input, SamplingFields sampling) {
        List<ChatMessage> messages = List.of(new ChatMessage("user", input));
        return new ResponseRequest(model, messages, null, sampling, Tools.NONE, true, Map.of(), null, null, true, true);
    }

    /** The same, but forgotten at its end. */
    public ResponseRequest unstored() {
        return new ResponseRequest(
                model,
                input,
                instructions,
                sampling,
                tools,
                stream,
                metadata,
                previousResponseId,
                conversation,
                false,
                generate);
    }

    /** The whole conversation: the instructions, if there are any, what was said before, and the input. */
    public List<ChatMessage> messages(List<ChatMessage> before) {
        List<ChatMessage> all = new ArrayList<>(before.size() + input.size() + 1);
        if (instructions != null) {
            all.add(new ChatMessage("system", instructions));
        }
        all.addAll(before);
        all.addAll(input);
        return List.copyOf(all);
    }
}
