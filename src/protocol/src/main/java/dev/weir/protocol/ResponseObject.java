package dev.weir.protocol;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A response as the Responses API shows it. Immutable; any thread.
 *
 * @param id its name, {@code resp_...}
 * @param createdAt seconds since 1970
 * @param status where it stands
 * @param model name of the model
 * @param settings what it was asked with
 * @param output what was said and called; empty until it is complete
 * @param usage tokens; null until the response ended
 * @param incompleteReason why it is incomplete, such as {@code max_output_tokens}; may be null
 * @param error why it failed; may be null
 */
public record ResponseObject(
        String id,
        long createdAt,
        ResponseStatus status,
        String model,
        Settings settings,
        List<OutputItem> output,
        @Nullable Usage usage,
        @Nullable String incompleteReason,
        @Nullable ApiError error) {
    public ResponseObject {
        output = List.copyOf(output);
    }

    /**
     * What a response was asked with, as far as the API gives it back.
     *
     * @param instructions the system message; may be null
     * @param maxOutputTokens tokens at most; may be null
     * @param temperature softmax temperature in effect
     * @param topP nucleus in effect
     * @param metadata the caller's own notes
     * @param tools the functions that may be called
     * @param format what the answer must look like; null for any text
     * @param previousResponseId the response whose conversation it goes on with; may be null
     * @param conversation the stored conversation that it is part of; may be null
     * @param store whether it is kept
     */
    public record Settings(
            @Nullable String instructions,
            @Nullable Integer maxOutputTokens,
            double temperature,
            double topP,
            Map<String, String> metadata,
            Tools tools,
            @Nullable OutputFormat format,
            @Nullable String previousResponseId,
            @Nullable String conversation,
            boolean store) {
        public Settings {
            metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        }
    }

    /** A response that has just been accepted. */
    public static ResponseObject inProgress(String id, long createdAt, String model, Settings settings) {
        return new ResponseObject(
                id, createdAt, ResponseStatus.IN_PROGRESS, model, settings, List.of(), null, null, null);
    }

    /** The same response once it ended; {@code items} is empty if nothing was to be written. */
    public ResponseObject ended(
            ResponseStatus newStatus, List<OutputItem> items, Usage tokens, @Nullable String newIncompleteReason) {
        return new ResponseObject(id, createdAt, newStatus, model, settings, items, tokens, newIncompleteReason, null);
    }

    /** The same response once it failed. */
    public ResponseObject failed(ApiError fault) {
        return new ResponseObject(id, createdAt, ResponseStatus.FAILED, model, settings, List.of(), null, null, fault);
    }

    /** All that was said. */
    public String text() {
        StringBuilder text = new StringBuilder();
        for (OutputItem item : output) {
            if (item instanceof OutputMessage message) {
                text.append(message.text());
            }
        }
        return text.toString();
    }

    /** The calls that are complete. */
    public List<ToolCall> calls() {
        return output.stream()
                .filter(item -> item instanceof FunctionCall && item.status() == ResponseStatus.COMPLETED)
                .map(item -> ((FunctionCall) item).call())
                .toList();
    }
}
