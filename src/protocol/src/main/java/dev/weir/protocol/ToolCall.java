package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Optional;

/**
 * A call of a function by the assistant. Immutable; any thread.
 *
 * @param id its name, {@code call_...}, by which the function's result refers to it
 * @param name of the function
 * @param arguments a JSON object, as it was written; only its beginning if the answer was cut within it
 */
public record ToolCall(String id, String name, String arguments) {
    /**
     * Reads a call in the form in which models write it, {@code {"name": ..., "arguments": {...}}}.
     *
     * @return empty if it is anything else
     */
    public static Optional<ToolCall> read(String id, String json) {
        String name = null;
        String arguments = null;
        try (JsonParser in = Json.parser(json)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                return Optional.empty();
            }
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String field = in.currentName();
                JsonToken value = in.nextToken();
                int begin = (int) in.currentTokenLocation().getCharOffset();
                in.skipChildren();
                if (field.equals("name") && value == JsonToken.VALUE_STRING) {
                    name = in.getText();
                } else if (field.equals("arguments") && value == JsonToken.START_OBJECT) {
                    int end = (int) in.currentLocation().getCharOffset();
                    arguments = json.substring(begin, end);
                }
            }
            boolean isWhole = in.currentToken() == JsonToken.END_OBJECT && in.nextToken() == null;
            return isWhole && name != null && arguments != null
                    ? Optional.of(new ToolCall(id, name, arguments))
                    : Optional.empty();
        } catch (IOException _) {
            return Optional.empty();
        }
    }
}
