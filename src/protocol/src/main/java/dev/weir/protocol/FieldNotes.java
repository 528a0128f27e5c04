package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a reader asked of one JSON object while it read an example: the fields, their types and their ranges. So the schema of
 * what is read comes from the code that reads it. What a reader takes apart by itself has the type that the example's value
 * has. Owned by one thread.
 */
final class FieldNotes {
    /** Bounds that stand for "above 0" and "below 1" are this close to them. */
    private static final double TINY = 1e-30;

    private final Set<String> names = new LinkedHashSet<>();
    private final Set<String> required = new LinkedHashSet<>();
    private final Map<String, ObjectNode> typed = new LinkedHashMap<>();
    private final Map<String, FieldNotes> objects = new LinkedHashMap<>();
    private final Map<String, List<FieldNotes>> elements = new LinkedHashMap<>();
    private final Map<String, JsonNode> values = new LinkedHashMap<>();

    /** A field was looked for; {@code value} is what the example has there. */
    void seen(String name, @Nullable JsonNode value) {
        names.add(name);
        if (value != null) {
            values.put(name, value);
        }
    }

    void required(String name) {
        required.add(name);
    }

    /** The notes of an object within this one. */
    FieldNotes object(String name) {
        return objects.computeIfAbsent(name, _ -> new FieldNotes());
    }

    /** The notes of the next object of a list. */
    FieldNotes element(String name) {
        FieldNotes notes = new FieldNotes();
        elements.computeIfAbsent(name, _ -> new ArrayList<>()).add(notes);
        return notes;
    }

    void string(String name, @Nullable JsonNode value) {
        typed.put(name, value == null ? JsonShape.type("string") : JsonShape.of(name, value));
    }

    void flag(String name, boolean ifAbsent) {
        typed.put(name, JsonShape.type("boolean").put("default", ifAbsent));
    }

    void decimal(String name, double min, double max) {
        typed.put(name, decimal(min, max));
    }

    private static ObjectNode decimal(double min, double max) {
        ObjectNode schema = JsonShape.type("number");
        if (min > 0 && min < TINY) {
            schema.put("exclusiveMinimum", 0);
        } else {
            schema.put("minimum", min);
        }
        if (max == Math.nextDown(1f)) {
            schema.put("exclusiveMaximum", 1);
        } else if (max < Float.MAX_VALUE) {
            schema.put("maximum", max);
        }
        return schema;
    }

    void integer(String name, long min, long max) {
        ObjectNode schema = JsonShape.type("integer");
        schema.put("format", min < Integer.MIN_VALUE || max > Integer.MAX_VALUE ? "int64" : "int32");
        if (min > Integer.MIN_VALUE) {
            schema.put("minimum", min);
        }
        if (max < Integer.MAX_VALUE) {
            schema.put("maximum", max);
        }
        typed.put(name, schema);
    }

    void strings(String name, int most, int longest) {
        ObjectNode one = JsonShape.type("string").put("minLength", 1).put("maxLength", longest);
        ObjectNode list = JsonShape.type("array").put("maxItems", most).set("items", one.deepCopy());
        typed.put(name, JsonShape.merge(one, list));
    }

    void integers(String name, int most) {
        ObjectNode list = JsonShape.type("array").put("maxItems", most);
        list.set("items", JsonShape.type("integer").put("format", "int32").put("minimum", 0));
        typed.put(name, list);
    }

    void numbersById(String name, int most, double min, double max) {
        ObjectNode map = JsonShape.type("object").put("maxProperties", most);
        map.set("propertyNames", JsonShape.type("string").put("pattern", "^\\d{1,9}$"));
        map.set("additionalProperties", decimal(min, max));
        typed.put(name, map);
    }

    void stringMap(String name) {
        typed.put(name, JsonShape.type("object").set("additionalProperties", JsonShape.type("string")));
    }

    /** The schema of the object, as far as the example shows it; a field that need not be sent may be null. */
    ObjectNode schema() {
        ObjectNode schema = JsonShape.type("object");
        ObjectNode properties = schema.putObject("properties");
        for (String name : names) {
            ObjectNode field = field(name);
            if (field != null) {
                properties.set(name, required.contains(name) ? field : JsonShape.nullable(field));
            }
        }
        if (!required.isEmpty()) {
            required.forEach(schema.putArray("required")::add);
        }
        return schema;
    }

    private @Nullable ObjectNode field(String name) {
        ObjectNode type = typed.get(name);
        if (type != null) {
            return type;
        }
        if (JsonShape.isOpaque(name) && values.containsKey(name)) {
            return JsonShape.of(name, values.get(name));
        }
        FieldNotes object = objects.get(name);
        if (object != null) {
            return object.schema();
        }
        List<FieldNotes> list = elements.get(name);
        if (list != null) {
            ObjectNode items = list.stream()
                    .map(FieldNotes::schema)
                    .reduce(JsonShape::merge)
                    .orElseThrow();
            return JsonShape.type("array").set("items", items);
        }
        JsonNode value = values.get(name);
        return value == null ? null : JsonShape.of(name, value);
    }
}
