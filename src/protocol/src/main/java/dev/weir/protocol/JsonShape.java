package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * JSON Schemas (2020-12) of values that are known by example. What all examples have is required; what they have of different
 * types may be of any of them; objects that differ in their {@code type} are kept apart. Any thread.
 */
final class JsonShape {
    /** Fields whose texts are words of the API: only those of the examples are allowed. */
    private static final Set<String> WORDS =
            Set.of("type", "object", "role", "status", "finish_reason", "tool_choice", "truncation", "encoding_format");

    /** Objects that are somebody else's. */
    private static final Set<String> OPAQUE = Set.of("parameters", "schema", "json");

    /** Objects that have a schema of their own. */
    private static final Map<String, String> NAMED =
            Map.of("response", "Response", "item", "OutputItem", "output", "OutputItem");

    private static final String REFERENCE = "$ref";
    private static final String ANY_OF = "anyOf";
    private static final String TYPE = "type";
    private static final String ENUM = "enum";
    private static final String PROPERTIES = "properties";
    private static final String REQUIRED = "required";
    private static final String NULL = "null";

    private JsonShape() {}

    static ObjectNode type(String name) {
        return JsonNodeFactory.instance.objectNode().put(TYPE, name);
    }

    static ObjectNode reference(String schema) {
        return JsonNodeFactory.instance.objectNode().put(REFERENCE, "#/components/schemas/" + schema);
    }

    static ObjectNode nullable(ObjectNode schema) {
        return merge(schema, type(NULL));
    }

    /** Whether the objects in fields of that name are somebody else's. */
    static boolean isOpaque(String name) {
        return OPAQUE.contains(name);
    }

    /** The schema of a value in a field of that name. */
    static ObjectNode of(String name, JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> {
                ObjectNode text = type("string");
                if (WORDS.contains(name)) {
                    text.putArray(ENUM).add(value.textValue());
                }
                yield text;
            }
            case NUMBER -> type(value.isIntegralNumber() ? "integer" : "number");
            case BOOLEAN -> type("boolean");
            case ARRAY -> {
                ObjectNode list = type("array");
                for (JsonNode element : value) {
                    ObjectNode known = (ObjectNode) list.get("items");
                    ObjectNode more = of(name, element);
                    list.set("items", known == null ? more : merge(known, more));
                }
                yield list;
            }
            case OBJECT ->
                OPAQUE.contains(name)
                        ? type("object")
                        : NAMED.containsKey(name) ? reference(NAMED.get(name)) : object(name, value);
            default -> type(NULL);
        };
    }

    /** The schema of an object that {@link #of} would refer to. */
    static ObjectNode object(String name, JsonNode value) {
        ObjectNode object = type("object");
        if (isMap(name, value)) {
            value.forEach(entry -> {
                ObjectNode known = (ObjectNode) object.get("additionalProperties");
                ObjectNode more = of("", entry);
                object.set("additionalProperties", known == null ? more : merge(known, more));
            });
            return object;
        }
        ObjectNode properties = object.putObject(PROPERTIES);
        ArrayNode required = object.putArray(REQUIRED);
        value.properties().forEach(field -> {
            // An error's type is of an open set.
            properties.set(field.getKey(), of(name.equals("error") ? "" : field.getKey(), field.getValue()));
            required.add(field.getKey());
        });
        return object;
    }

    /** Objects with keys that are the caller's or the model's: in completions, alternatives are by their text. */
    private static boolean isMap(String name, JsonNode value) {
        return name.equals("metadata") || (name.equals("top_logprobs") && !value.has("logprob"));
    }

    /** A schema of what either of two allows. */
    static ObjectNode merge(ObjectNode first, ObjectNode second) {
        List<ObjectNode> all = new ArrayList<>(alternatives(first));
        for (ObjectNode more : alternatives(second)) {
            int at = 0;
            while (at < all.size() && !kind(all.get(at)).equals(kind(more))) {
                at++;
            }
            if (at == all.size()) {
                all.add(more);
            } else {
                all.set(at, mergeOfOneKind(all.get(at), more));
            }
        }
        return all.size() == 1 ? all.getFirst() : anyOf(all);
    }

    static ObjectNode anyOf(List<ObjectNode> schemas) {
        ObjectNode any = JsonNodeFactory.instance.objectNode();
        any.putArray(ANY_OF).addAll(schemas);
        return any;
    }

    private static List<ObjectNode> alternatives(ObjectNode schema) {
        List<ObjectNode> all = new ArrayList<>();
        if (schema.has(ANY_OF)) {
            schema.get(ANY_OF).forEach(one -> all.add((ObjectNode) one));
        } else {
            all.add(schema);
        }
        return all;
    }

    private static String kind(ObjectNode schema) {
        String type = schema.path(TYPE).asText();
        return switch (type) {
            case "integer", "number" -> "number";
            case "object" ->
                schema.has("additionalProperties")
                        ? "map"
                        : "object " + words(schema.path(PROPERTIES).path(TYPE));
            case "" -> schema.path(REFERENCE).asText();
            default -> type;
        };
    }

    /** The words that a text may be, if it has to be one of some; it may be null too. */
    private static JsonNode words(JsonNode text) {
        return text.has(ANY_OF) ? text.path(ANY_OF).path(0).path(ENUM) : text.path(ENUM);
    }

    private static ObjectNode mergeOfOneKind(ObjectNode first, ObjectNode second) {
        if (first.equals(second)) {
            return first;
        }
        ObjectNode merged = JsonNodeFactory.instance.objectNode();
        first.properties().forEach(entry -> {
            JsonNode other = second.get(entry.getKey());
            JsonNode value = entry.getValue();
            switch (entry.getKey()) {
                case TYPE -> merged.put(TYPE, value.equals(other) ? value.textValue() : "number");
                case ENUM -> {
                    if (other != null) {
                        Set<JsonNode> words = new HashSet<>();
                        ArrayNode both = merged.putArray(ENUM);
                        value.forEach(word -> addNew(words, both, word));
                        other.forEach(word -> addNew(words, both, word));
                    }
                }
                case PROPERTIES -> merged.set(PROPERTIES, properties(value, other));
                case REQUIRED -> {
                    Set<JsonNode> others = new HashSet<>();
                    if (other != null) {
                        other.forEach(others::add);
                    }
                    ArrayNode both = merged.putArray(REQUIRED);
                    value.forEach(name -> {
                        if (others.contains(name)) {
                            both.add(name);
                        }
                    });
                }
                case "items", "additionalProperties" ->
                    merged.set(entry.getKey(), other == null ? value : merge((ObjectNode) value, (ObjectNode) other));
                default -> {
                    if (value.equals(other)) {
                        merged.set(entry.getKey(), value);
                    }
                }
            }
        });
        for (String key : List.of("items", PROPERTIES)) {
            if (!merged.has(key) && second.has(key)) {
                merged.set(key, second.get(key));
            }
        }
        return merged;
    }

    private static void addNew(Set<JsonNode> known, ArrayNode words, JsonNode word) {
        if (known.add(word)) {
            words.add(word);
        }
    }

    private static ObjectNode properties(JsonNode first, @Nullable JsonNode second) {
        ObjectNode both = first.deepCopy();
        if (second != null) {
            second.properties().forEach(entry -> {
                ObjectNode known = (ObjectNode) both.get(entry.getKey());
                ObjectNode more = (ObjectNode) entry.getValue();
                both.set(entry.getKey(), known == null ? more : merge(known, more));
            });
        }
        return both;
    }

    /** The same schema written shorter: a value that may be null is of a type or null. */
    static void shorten(JsonNode schema) {
        if (schema instanceof ObjectNode object && object.has(ANY_OF)) {
            List<ObjectNode> all = alternatives(object);
            boolean mayBeNull = all.removeIf(one -> one.path(TYPE).asText().equals(NULL));
            if (mayBeNull && all.size() == 1 && all.getFirst().has(TYPE)) {
                ObjectNode one = all.getFirst();
                object.remove(ANY_OF);
                object.setAll(one);
                object.putArray(TYPE).add(one.get(TYPE)).add(NULL);
                if (one.has(ENUM)) {
                    object.withArray(ENUM).addNull();
                }
            }
        }
        schema.forEach(JsonShape::shorten);
    }
}
