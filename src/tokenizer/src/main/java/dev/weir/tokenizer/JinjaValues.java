package dev.weir.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON from outside as values that a template sees: every text in it, names included, is marked. Static functions; any thread. */
final class JinjaValues {
    private static final ObjectMapper JSON = new ObjectMapper();

    private JinjaValues() {}

    static Object of(JsonNode json) {
        return switch (json.getNodeType()) {
            case BOOLEAN -> json.booleanValue();
            case NUMBER ->
                json.isIntegralNumber() && json.canConvertToLong()
                        ? (Object) json.longValue()
                        : new Python.Decimal(json.doubleValue());
            case STRING -> MarkedText.untrusted(json.textValue());
            case ARRAY -> {
                List<Object> list = new ArrayList<>();
                json.forEach(item -> list.add(of(item)));
                yield list;
            }
            case OBJECT -> {
                Map<Object, Object> dict = new LinkedHashMap<>();
                json.properties()
                        .forEach(entry -> dict.put(MarkedText.untrusted(entry.getKey()), of(entry.getValue())));
                yield dict;
            }
            default -> Python.None.NONE;
        };
    }

    /** A field of a message; the arguments of {@code tool_calls}, which OpenAI's API has as JSON in a string, as an object. */
    static Object ofField(String name, JsonNode field) {
        if (!name.equals("tool_calls")) {
            return of(field);
        }
        JsonNode calls = field.deepCopy();
        for (JsonNode call : calls) {
            if (call.path("function") instanceof ObjectNode function
                    && function.path("arguments").isTextual()) {
                JsonNode arguments = parsed(function.path("arguments"));
                if (arguments.isObject()) {
                    function.set("arguments", arguments);
                }
            }
        }
        return of(calls);
    }

    /** What a string of JSON stands for; the string itself where it is none, as a model may have written it. */
    private static JsonNode parsed(JsonNode text) {
        try {
            return JSON.readTree(text.textValue());
        } catch (JsonProcessingException e) {
            return text;
        }
    }
}
