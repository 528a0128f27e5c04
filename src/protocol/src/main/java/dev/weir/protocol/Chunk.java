package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * What a client reads from {@code /v1/completions} and {@code /v1/chat/completions}: one chunk of a stream, or the one body
 * of a reply that is not streamed. Immutable; any thread.
 *
 * @param text the text that it adds, possibly empty
 * @param finishReason why the text ended; null while it goes on
 * @param usage tokens; null unless this chunk counts them
 * @param error what went wrong; null unless the stream or the request failed
 */
public record Chunk(
        String text,
        @Nullable String finishReason,
        @Nullable Usage usage,
        @Nullable ApiError error) {
    /**
     * Reads a chunk, a body or an error body.
     *
     * @throws ProtocolException if it is not a JSON object
     */
    public static Chunk read(String json) {
        Fields fields = Json.parseObject(json);
        Fields error = fields.object("error");
        if (error != null) {
            return new Chunk("", null, null, EventReader.apiError(error, 0));
        }
        Fields usage = fields.object("usage");
        JsonNode choices = fields.value("choices");
        JsonNode choice = choices == null ? null : choices.get(0);
        return new Chunk(
                choice == null ? "" : text(choice),
                choice == null ? null : choice.path("finish_reason").textValue(),
                usage == null ? null : EventReader.usage(usage, "prompt_tokens", "completion_tokens"),
                null);
    }

    private static String text(JsonNode choice) {
        JsonNode holder = choice.has("delta") ? choice.path("delta") : choice.path("message");
        return holder.isObject()
                ? holder.path("content").asText("")
                : choice.path("text").asText("");
    }
}
