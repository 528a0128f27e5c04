package dev.weir.server;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Values that are wrong in one place: a field that has to be there is missing, a value is of another type, a word is none of the
 * API's, a field is nobody's. Made from a valid value, without a look at any schema.
 */
final class Mutations {
    /** What may be missing, as kind, space, owner, dot, field; the owner is an object's type, else the field that holds it. */
    private static final Pattern OPTIONAL = Pattern.compile(
            String.join(
                    "|",
                    "\\S+ \\S+\\.stream_id",
                    "\\S+ response\\.(status|background|max_output_tokens|previous_response_id|conversation|store|text|truncation|usage)",
                    "\\S+ (text\\.format|incomplete_details\\.reason|json_schema\\.strict|function\\.description)",
                    "(?!input-items|conversation-item)\\S+ function_call\\.(id|status)",
                    "input-items message\\.status",
                    "(input-items|conversation-items?) function_call_output\\.call_id",
                    "\\S+ (metadata|headers)\\..*",
                    "response\\.output_text\\.\\w+ (logprobs\\.top_logprobs|top_logprobs\\..*)",
                    "error error\\.(status|headers|event_id)",
                    "error-server-sent error-server-sent\\.(status|error)",
                    "chat\\.completion\\.chunk (choices\\.logprobs|delta\\..*|(function|tool_calls)\\.(?!index).*)",
                    "(chat|text)_?\\S* \\S+\\.(usage|prompt_tokens_details|cached_tokens)",
                    "text_completion\\S* (logprobs|top_logprobs)\\..*",
                    "chat\\.completion message\\.tool_calls",
                    "models? \\S+\\.max_model_len"),
            Pattern.DOTALL);

    private static final Set<String> WORDS =
            Set.of("type", "object", "role", "status", "finish_reason", "reason", "truncation", "tool_choice");
    /** Objects whose fields are somebody's own. */
    private static final Set<String> MAPS = Set.of("metadata", "headers");
    /** Values that are somebody's own altogether. */
    private static final Set<String> OPAQUE = Set.of("parameters", "schema");

    private final String kind;
    private final JsonNode valid;
    private final List<Mutation> all = new ArrayList<>();

    /** A wrong value, and what is wrong. */
    record Mutation(String what, String json) {}

    private Mutations(String kind, JsonNode valid) {
        this.kind = kind;
        this.valid = valid;
    }

    /** All that can be made of a valid value. */
    static List<Mutation> of(String kind, JsonNode valid) {
        Mutations mutations = new Mutations(kind, valid);
        mutations.inside(JsonPointer.empty(), kind, valid);
        return mutations.all;
    }

    private void inside(JsonPointer at, String name, JsonNode node) {
        if (node instanceof ArrayNode) {
            for (int i = 0; i < node.size(); i++) {
                value(at.appendIndex(i), name, node.get(i));
            }
        }
        if (node instanceof ObjectNode object) {
            boolean isPayload = object.has("message") && object.has("param"); // whose type is of an open set
            String owner = isPayload ? name : object.path("type").asText(name);
            object.properties().forEach(field -> {
                String key = field.getKey();
                if (key.startsWith("#")) {
                    return; // a token of the model; the validator looks at no fields of such a name
                }
                String said = field.getValue().isTextual() ? key : "";
                if (!OPTIONAL.matcher(kind + " " + owner + "." + key).matches()) {
                    add("without", at.appendProperty(key), parent -> ((ObjectNode) parent).remove(key));
                }
                boolean isOpen = isPayload && !at.matches();
                boolean isFaultCode = said.equals("code") && object.has("message") && !isPayload;
                if (isFaultCode || (WORDS.contains(said) && !isOpen)) {
                    add("nonsense in", at.appendProperty(key), parent -> ((ObjectNode) parent).put(key, "nonsense"));
                }
                value(at.appendProperty(key), key, field.getValue());
            });
            if (!MAPS.contains(name) && !(kind.startsWith("text_") && name.equals("top_logprobs"))) {
                add("nobody's", at.appendProperty("nobodys"), parent -> ((ObjectNode) parent).put("nobodys", 1));
            }
        }
    }

    private void value(JsonPointer at, String name, JsonNode value) {
        JsonNode wrong = value.isNull()
                ? BooleanNode.FALSE
                : value.isNumber() || value.isBoolean() ? TextNode.valueOf("1") : IntNode.valueOf(-1);
        add(wrong + " in", at, parent -> {
            if (parent instanceof ArrayNode array) {
                array.set(at.last().getMatchingIndex(), wrong);
            } else {
                ((ObjectNode) parent).set(at.last().getMatchingProperty(), wrong);
            }
        });
        if (!OPAQUE.contains(name)) {
            inside(at, name, value);
        }
    }

    private void add(String what, JsonPointer at, Consumer<JsonNode> change) {
        JsonNode copy = valid.deepCopy();
        change.accept(copy.at(at.head()));
        all.add(new Mutation(kind + ": " + what + " " + at, copy.toString()));
    }
}
