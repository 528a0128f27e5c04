package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.weir.protocol.JsonSchema.AnyOf;
import dev.weir.protocol.JsonSchema.Document;
import dev.weir.protocol.JsonSchema.Member;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a {@link JsonSchema}. What says nothing about a value (titles, descriptions, defaults) is passed over; what says something
 * that cannot be held to is refused by name. Owned by one thread; for one document.
 */
final class JsonSchemaReader {
    private static final int MOST_DEFINITIONS = 100;
    private static final int MOST_MEMBERS = 1_000;
    private static final int MOST_VALUES = 1_000;
    /** Lengths up to here are counted, longer ones would need a state for each. */
    private static final int MOST_COUNTED = 10_000;

    private static final String ROOT = "#";

    private static final Set<String> SILENT = Set.of(
            "title",
            "description",
            "default",
            "examples",
            "$schema",
            "$id",
            "$comment",
            "deprecated",
            "readOnly",
            "writeOnly",
            "$defs",
            "definitions");
    private static final Set<String> OF_STRINGS = Set.of("minLength", "maxLength", "pattern", "format");
    private static final Set<String> OF_INTEGERS = Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
    private static final Set<String> OF_ARRAYS = Set.of("items", "prefixItems", "minItems", "maxItems");
    private static final Set<String> OF_OBJECTS =
            Set.of("properties", "required", "additionalProperties", "minProperties", "maxProperties");
    private static final List<String> TYPES =
            List.of("string", "number", "integer", "boolean", "null", "array", "object");

    private final Map<String, JsonSchema> definitions = new HashMap<>();
    private final Set<String> wanted = new LinkedHashSet<>();

    private JsonSchemaReader() {}

    /** The schema in a field. */
    static Document read(Fields holder, String name) {
        JsonNode root = holder.required(name, "send a JSON Schema");
        return new JsonSchemaReader().document(root, holder.path(name));
    }

    private Document document(JsonNode root, String path) {
        Map<String, JsonNode> named = new HashMap<>();
        named.put(ROOT, root);
        for (String holder : List.of("$defs", "definitions")) {
            JsonNode some = root.get(holder);
            if (some != null && some.isObject()) {
                some.properties().forEach(entry -> named.put("#/" + holder + "/" + entry.getKey(), entry.getValue()));
            }
        }
        if (named.size() > MOST_DEFINITIONS) {
            throw refuse(path, "holds " + named.size() + " definitions, but at most " + MOST_DEFINITIONS + " are read");
        }
        JsonSchema schema = schema(root, path);
        while (true) {
            String next = wanted.stream()
                    .filter(name -> !definitions.containsKey(name))
                    .findFirst()
                    .orElse(null);
            if (next == null) {
                break;
            }
            JsonNode definition = named.get(next);
            if (definition == null) {
                throw refuse(
                        path,
                        "refers to " + Json.abbreviate(next)
                                + ", which it does not define; refer to \"#\" or to what stands in its \"$defs\"");
            }
            definitions.put(
                    next,
                    schema(
                            definition,
                            next.equals(ROOT) ? path : path + next.substring(1).replace('/', '.')));
        }
        checkEnds(path, schema);
        return new Document(schema, definitions);
    }

    private JsonSchema schema(JsonNode node, String path) {
        if (node.isBoolean() && node.booleanValue()) {
            return new JsonSchema.Any();
        }
        if (!node.isObject()) {
            throw refuse(path, "is " + Json.abbreviate(node.toString()) + " but must be a JSON Schema, an object");
        }
        if (node.has("$ref")) {
            requireOnly(node, path, Set.of("$ref"));
            String name = node.get("$ref").asText();
            wanted.add(name);
            return new JsonSchema.Reference(name);
        }
        if (node.has("const")) {
            requireOnly(node, path, Set.of("const", "type"));
            return new JsonSchema.Literal(List.of(node.get("const").toString()));
        }
        if (node.has("enum")) {
            requireOnly(node, path, Set.of("enum", "type"));
            return literal(node.get("enum"), path + ".enum");
        }
        if (node.has("anyOf")) {
            requireOnly(node, path, Set.of("anyOf"));
            return new AnyOf(schemas(node.get("anyOf"), path + ".anyOf"));
        }
        if (node.has("allOf") && node.get("allOf").size() == 1) {
            requireOnly(node, path, Set.of("allOf"));
            return schema(node.get("allOf").get(0), path + ".allOf[0]");
        }
        return typed(node, path);
    }

    private JsonSchema typed(JsonNode node, String path) {
        JsonNode type = node.get("type");
        if (type != null && type.isArray()) {
            List<JsonSchema> options = new ArrayList<>();
            for (JsonNode one : type) {
                options.add(ofType(one.asText(), node, path, true));
            }
            if (options.isEmpty()) {
                throw refuse(path + ".type", "is empty; name at least one type or leave it out");
            }
            requireKnown(node, path, type);
            return new AnyOf(options);
        }
        if (type != null) {
            return ofType(type.asText(), node, path, false);
        }
        if (node.has("properties")) {
            return ofType("object", node, path, false);
        }
        if (node.has("items") || node.has("prefixItems")) {
            return ofType("array", node, path, false);
        }
        requireOnly(node, path, Set.of());
        return new JsonSchema.Any();
    }

    /** The keywords of all of several types. */
    private void requireKnown(JsonNode node, String path, JsonNode types) {
        Set<String> known = new HashSet<>(Set.of("type"));
        for (JsonNode type : types) {
            known.addAll(keywords(type.asText()));
        }
        requireOnly(node, path, known);
    }

    private static Set<String> keywords(String type) {
        return switch (type) {
            case "string" -> OF_STRINGS;
            case "integer" -> OF_INTEGERS;
            case "array" -> OF_ARRAYS;
            case "object" -> OF_OBJECTS;
            default -> Set.of();
        };
    }

    private JsonSchema ofType(String type, JsonNode node, String path, boolean isOneOfSeveral) {
        if (!TYPES.contains(type)) {
            throw refuse(
                    path + ".type",
                    "is \"" + Json.abbreviate(type) + "\" but must be one of " + String.join(", ", TYPES));
        }
        if (!isOneOfSeveral) {
            Set<String> known = new HashSet<>(keywords(type));
            known.add("type");
            requireOnly(node, path, known);
        }
        Fields fields = new Fields(node, path + ".");
        return switch (type) {
            case "string" -> text(fields, path);
            case "number" -> new JsonSchema.Decimal();
            case "integer" -> whole(fields, path);
            case "boolean" -> new JsonSchema.Literal(List.of("true", "false"));
            case "null" -> new JsonSchema.Literal(List.of("null"));
            case "array" -> array(node, fields, path);
            default -> object(node, fields, path);
        };
    }

    private JsonSchema text(Fields fields, String path) {
        int min = length(fields, "minLength", 0);
        int max = length(fields, "maxLength", JsonSchema.UNLIMITED);
        String pattern = fields.string("pattern");
        String format = fields.string("format");
        boolean isBounded = min > 0 || max != JsonSchema.UNLIMITED;
        if ((pattern != null ? 1 : 0) + (format != null ? 1 : 0) + (isBounded ? 1 : 0) > 1) {
            throw refuse(
                    path,
                    "bounds a string in several ways; give one of pattern, format and lengths, and leave the "
                            + "others out");
        }
        requireOrder(path, "minLength", min, "maxLength", max);
        return new JsonSchema.Text(min, max, pattern, format);
    }

    private JsonSchema whole(Fields fields, String path) {
        Long min = bound(fields, "minimum", "exclusiveMinimum", 1);
        Long max = bound(fields, "maximum", "exclusiveMaximum", -1);
        if (min != null && max != null && min > max) {
            throw refuse(path, "allows no integer: the least is " + min + " and the greatest " + max);
        }
        return new JsonSchema.Whole(min, max);
    }

    private static @Nullable Long bound(Fields fields, String inclusive, String exclusive, int step) {
        long most = 999_999_999_999_999L; // what all JSON readers keep
        Long value = fields.integer(inclusive, -most, most, "of at most 15 digits");
        Long beyond = fields.integer(exclusive, -most, most, "of at most 15 digits");
        if (value != null && beyond != null) {
            throw refuse(fields.path(exclusive), "is sent beside " + inclusive + "; leave out one of them");
        }
        return beyond == null ? value : Long.valueOf(beyond + step);
    }

    private JsonSchema array(JsonNode node, Fields fields, String path) {
        int min = length(fields, "minItems", 0);
        int max = length(fields, "maxItems", JsonSchema.UNLIMITED);
        requireOrder(path, "minItems", min, "maxItems", max);
        JsonNode first = node.get("prefixItems");
        if (first != null) {
            List<JsonSchema> items = schemas(first, path + ".prefixItems");
            boolean hasMore = node.has("items") && !node.get("items").equals(BooleanNode.FALSE);
            if (hasMore || min > items.size() || max < items.size()) {
                throw refuse(
                        path,
                        "has prefixItems, with which exactly those items are written; leave out items and bounds");
            }
            return new JsonSchema.Tuple(items);
        }
        JsonNode items = node.get("items");
        return new JsonSchema.Array(items == null ? new JsonSchema.Any() : schema(items, path + ".items"), min, max);
    }

    private JsonSchema object(JsonNode node, Fields fields, String path) {
        JsonNode properties = node.get("properties");
        JsonNode additional = node.get("additionalProperties");
        Set<String> required = new LinkedHashSet<>();
        JsonNode names = node.get("required");
        if (names != null) {
            names.forEach(name -> required.add(name.asText()));
        }
        List<Member> members = new ArrayList<>();
        if (properties != null) {
            if (!properties.isObject()) {
                throw refuse(
                        path + ".properties",
                        "is " + Json.abbreviate(properties.toString()) + " but must be an object");
            }
            if (properties.size() > MOST_MEMBERS) {
                throw refuse(
                        path + ".properties",
                        "has " + properties.size() + " entries but may have at most " + MOST_MEMBERS);
            }
            properties.properties().forEach(entry -> {
                StringBuilder quoted = new StringBuilder();
                Json.quote(quoted, entry.getKey());
                JsonSchema value = schema(entry.getValue(), path + ".properties." + entry.getKey());
                members.add(new Member(quoted.toString(), value, required.remove(entry.getKey())));
            });
        }
        if (!required.isEmpty()) {
            throw refuse(
                    path + ".required",
                    "names \"" + Json.abbreviate(required.iterator().next())
                            + "\", which is not in properties; add it there");
        }
        boolean isClosed = additional != null && additional.isBoolean() && !additional.booleanValue();
        if (!members.isEmpty() || isClosed) { // more members may be allowed, but none has to be written
            if (fields.has("minProperties") || fields.has("maxProperties")) {
                throw refuse(path, "has properties and bounds their number; leave out minProperties and maxProperties");
            }
            return new JsonSchema.Members(members);
        }
        int min = length(fields, "minProperties", 0);
        int max = length(fields, "maxProperties", JsonSchema.UNLIMITED);
        if (min > 1) {
            throw refuse(
                    path + ".minProperties", "is " + min + ", but a name may come twice and counts once; leave it out");
        }
        requireOrder(path, "minProperties", min, "maxProperties", max);
        JsonSchema value =
                additional == null ? new JsonSchema.Any() : schema(additional, path + ".additionalProperties");
        return new JsonSchema.Entries(value, min, max);
    }

    private List<JsonSchema> schemas(JsonNode list, String path) {
        if (!list.isArray() || list.isEmpty()) {
            throw refuse(path, "is " + Json.abbreviate(list.toString()) + " but must be a list of one schema or more");
        }
        List<JsonSchema> schemas = new ArrayList<>();
        for (JsonNode one : list) {
            schemas.add(schema(one, path + "[" + schemas.size() + "]"));
        }
        return schemas;
    }

    private static JsonSchema literal(JsonNode values, String path) {
        if (!values.isArray() || values.isEmpty() || values.size() > MOST_VALUES) {
            throw refuse(path, "must be a list of 1 to " + MOST_VALUES + " values");
        }
        List<String> texts = new ArrayList<>();
        values.forEach(value -> texts.add(value.toString()));
        return new JsonSchema.Literal(texts);
    }

    private static int length(Fields fields, String name, int otherwise) {
        Long value = fields.integer(name, 0, MOST_COUNTED, "from 0 to " + MOST_COUNTED);
        return value == null ? otherwise : value.intValue();
    }

    private static void requireOrder(String path, String least, int min, String most, int max) {
        if (min > max) {
            throw refuse(path, "has " + least + " " + min + " above " + most + " " + max);
        }
    }

    private static void requireOnly(JsonNode node, String path, Set<String> known) {
        node.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name) && !SILENT.contains(name)) {
                throw refuse(path + "." + name, "is not supported here; leave it out");
            }
        });
    }

    /** Every schema must have a value that ends, and none may begin with itself. */
    private void checkEnds(String path, JsonSchema root) {
        Set<String> ending = new HashSet<>();
        boolean grows = true;
        while (grows) {
            grows = false;
            for (Map.Entry<String, JsonSchema> definition : definitions.entrySet()) {
                grows |= ends(definition.getValue(), ending) && ending.add(definition.getKey());
            }
        }
        if (!ends(root, ending) || !ending.containsAll(definitions.keySet())) {
            throw refuse(
                    path, "has a definition that always holds itself again, so that no value ends; make it optional");
        }
        for (String name : definitions.keySet()) {
            if (begins(new JsonSchema.Reference(name), name, new HashSet<>(), true)) {
                throw refuse(path, "defines " + Json.abbreviate(name) + " as itself; take that alternative out");
            }
        }
    }

    private static boolean ends(JsonSchema schema, Set<String> ending) {
        return switch (schema) {
            case JsonSchema.Reference(String name) -> ending.contains(name);
            case AnyOf(List<JsonSchema> options) -> options.stream().anyMatch(option -> ends(option, ending));
            case JsonSchema.Array(JsonSchema item, int min, int _) -> min == 0 || ends(item, ending);
            case JsonSchema.Tuple(List<JsonSchema> items) -> items.stream().allMatch(item -> ends(item, ending));
            case JsonSchema.Members(List<Member> members) ->
                members.stream().allMatch(member -> !member.required() || ends(member.value(), ending));
            case JsonSchema.Entries(JsonSchema value, int min, int _) -> min == 0 || ends(value, ending);
            default -> true;
        };
    }

    /** Whether a schema's values may be values of the named definition as they stand. */
    private boolean begins(JsonSchema schema, String name, Set<String> seen, boolean isFirst) {
        return switch (schema) {
            case JsonSchema.Reference(String other) -> {
                if (!isFirst && other.equals(name)) {
                    yield true;
                }
                JsonSchema meaning = definitions.get(other);
                yield meaning != null && seen.add(other) && begins(meaning, name, seen, false);
            }
            case AnyOf(List<JsonSchema> options) ->
                options.stream().anyMatch(option -> begins(option, name, seen, false));
            default -> false;
        };
    }

    private static ProtocolException refuse(String path, String what) {
        return ProtocolException.invalid("invalid_value", path, path + " " + what);
    }
}
