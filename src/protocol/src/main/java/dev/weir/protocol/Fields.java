package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one JSON object, read with checks: each getter returns a value of the right type and range or throws a
 * {@link ProtocolException} that names the field. A field that is missing or null counts as not sent.
 */
final class Fields {
    private final JsonNode node;
    private final String prefix;
    private final @Nullable FieldNotes notes;

    Fields(JsonNode node, String prefix) {
        this(node, prefix, null);
    }

    /** Fields of which it is noted how they are read. */
    Fields(JsonNode node, String prefix, @Nullable FieldNotes notes) {
        this.node = node;
        this.prefix = prefix;
        this.notes = notes;
    }

    /** The field's name as an error shows it, with the path to it. */
    String path(String name) {
        return prefix + name;
    }

    @Nullable
    JsonNode value(String name) {
        JsonNode value = unnoted(name);
        if (notes != null) {
            notes.seen(name, value);
        }
        return value;
    }

    /** The value of a field that is none of the message's own, but only looked for to be refused. */
    @Nullable
    JsonNode unnoted(String name) {
        JsonNode value = node.get(name);
        return value == null || value.isNull() ? null : value;
    }

    boolean has(String name) {
        return value(name) != null;
    }

    JsonNode required(String name, String remedy) {
        JsonNode value = value(name);
        if (notes != null) {
            notes.required(name);
        }
        if (value == null) {
            throw ProtocolException.invalid(
                    "missing_required_parameter", path(name), path(name) + " is missing; " + remedy);
        }
        return value;
    }

    @Nullable
    String string(String name) {
        JsonNode value = value(name);
        if (notes != null) {
            notes.string(name, value);
        }
        if (value == null) {
            return null;
        }
        if (!value.isTextual()) {
            throw wrongType(name, value, "a string");
        }
        return value.textValue();
    }

    String requiredString(String name, String remedy) {
        required(name, remedy);
        String value = string(name);
        return value == null ? "" : value;
    }

    boolean flag(String name, boolean ifAbsent) {
        JsonNode value = value(name);
        if (notes != null) {
            notes.flag(name, ifAbsent);
        }
        if (value == null) {
            return ifAbsent;
        }
        if (!value.isBoolean()) {
            throw wrongType(name, value, "true or false");
        }
        return value.booleanValue();
    }

    /** A number from {@code min} to {@code max}, both allowed. */
    @Nullable
    Double decimal(String name, double min, double max, String range) {
        JsonNode value = value(name);
        if (notes != null) {
            notes.decimal(name, min, max);
        }
        if (value == null) {
            return null;
        }
        if (!value.isNumber()) {
            throw wrongType(name, value, "a number " + range);
        }
        double number = value.doubleValue();
        if (!(number >= min)) {
            throw outOfRange("decimal_below_min_value", name, value, range);
        }
        if (!(number <= max)) {
            throw outOfRange("decimal_above_max_value", name, value, range);
        }
        return number;
    }

    /** An integer from {@code min} to {@code max}; 16.0 counts as one, as some clients know only one kind of number. */
    @Nullable
    Long integer(String name, long min, long max, String range) {
        JsonNode value = value(name);
        if (notes != null) {
            notes.integer(name, min, max);
        }
        return value == null ? null : integer(name, value, min, max, range);
    }

    @Nullable
    Integer smallInteger(String name, int min, String range) {
        Long value = integer(name, min, Integer.MAX_VALUE, range);
        return value == null ? null : value.intValue();
    }

    private long integer(String name, JsonNode value, long min, long max, String range) {
        if (!value.isNumber() || !value.canConvertToExactIntegral()) {
            throw wrongType(name, value, "an integer " + range);
        }
        if (!value.canConvertToLong()) {
            throw outOfRange(
                    value.decimalValue().signum() < 0 ? "integer_below_min_value" : "integer_above_max_value",
                    name,
                    value,
                    range);
        }
        long number = value.longValue();
        if (number < min) {
            throw outOfRange("integer_below_min_value", name, value, range);
        }
        if (number > max) {
            throw outOfRange("integer_above_max_value", name, value, range);
        }
        return number;
    }

    /** Token ids; whether each is within the vocabulary is for the model to say. */
    int[] tokenIds(String name, JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) integer(
                    name + "[" + i + "]", element(array, i), 0, Integer.MAX_VALUE, "that is a token id, 0 or more");
        }
        return ids;
    }

    /** A string or a list of at most {@code most} strings, each with 1 to {@code longest} characters. */
    List<String> strings(String name, int most, int longest) {
        JsonNode value = value(name);
        if (notes != null) {
            notes.strings(name, most, longest);
        }
        if (value == null) {
            return List.of();
        }
        if (value.isTextual()) {
            return List.of(bounded(name, value, longest));
        }
        if (!value.isArray()) {
            throw wrongType(name, value, "a string or a list of strings");
        }
        atMost(name, value, most);
        List<String> strings = new ArrayList<>(value.size());
        for (int i = 0; i < value.size(); i++) {
            strings.add(bounded(name + "[" + i + "]", element(value, i), longest));
        }
        return List.copyOf(strings);
    }

    List<Integer> integers(String name, int most) {
        JsonNode value = value(name);
        if (notes != null) {
            notes.integers(name, most);
        }
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw wrongType(name, value, "a list of token ids");
        }
        atMost(name, value, most);
        List<Integer> ids = new ArrayList<>(value.size());
        for (int id : tokenIds(name, value)) {
            ids.add(id);
        }
        return List.copyOf(ids);
    }

    /** An object of at most {@code most} numbers from {@code min} to {@code max} by token id. */
    Map<Integer, Double> numbersById(String name, int most, double min, double max, String range) {
        Fields inner = object(name);
        if (notes != null) {
            notes.numbersById(name, most, min, max);
        }
        if (inner == null) {
            return Map.of();
        }
        atMost(name, inner.node, most);
        Map<Integer, Double> map = new LinkedHashMap<>();
        inner.node.fieldNames().forEachRemaining(key -> {
            Double number = inner.decimal(key, min, max, range);
            if (!key.matches("\\d{1,9}")) {
                throw ProtocolException.invalid(
                        "invalid_value",
                        path(name),
                        path(name) + " names \"" + Json.abbreviate(key) + "\" but must name token ids, each 0 or more");
            }
            if (number != null) {
                map.put(Integer.valueOf(key), number);
            }
        });
        return map;
    }

    /** An object whose values are strings. */
    Map<String, String> stringMap(String name) {
        Fields inner = object(name);
        if (notes != null) {
            notes.stringMap(name);
        }
        if (inner == null) {
            return Map.of();
        }
        Map<String, String> map = new LinkedHashMap<>();
        inner.node.fieldNames().forEachRemaining(key -> {
            String value = inner.string(key);
            if (value != null) {
                map.put(key, value);
            }
        });
        return map;
    }

    @Nullable
    Fields object(String name) {
        JsonNode value = value(name);
        if (value == null) {
            return null;
        }
        if (!value.isObject()) {
            throw wrongType(name, value, "an object");
        }
        return new Fields(value, path(name) + ".", notes == null ? null : notes.object(name));
    }

    /** The elements of a list as objects. */
    List<Fields> objects(String name, JsonNode array) {
        List<Fields> elements = new ArrayList<>(array.size());
        for (int i = 0; i < array.size(); i++) {
            JsonNode element = element(array, i);
            String at = name + "[" + i + "]";
            if (!element.isObject()) {
                throw wrongType(at, element, "an object");
            }
            elements.add(new Fields(element, path(at) + ".", notes == null ? null : notes.element(name)));
        }
        return elements;
    }

    ProtocolException wrongType(String name, JsonNode value, String expected) {
        return ProtocolException.invalid(
                "invalid_type",
                path(name),
                path(name) + " is " + Json.abbreviate(value.toString()) + " but must be " + expected);
    }

    ProtocolException wrongValue(String name, String value, String expected) {
        return ProtocolException.invalid(
                "invalid_value",
                path(name),
                path(name) + " is \"" + Json.abbreviate(value) + "\" but must be " + expected);
    }

    ProtocolException empty(String name, String remedy) {
        return ProtocolException.invalid("invalid_value", path(name), path(name) + " is empty; " + remedy);
    }

    private ProtocolException outOfRange(String code, String name, JsonNode value, String range) {
        return ProtocolException.invalid(
                code,
                path(name),
                path(name) + " is " + Json.abbreviate(value.toString()) + " but must be a number " + range);
    }

    private String bounded(String name, JsonNode value, int longest) {
        if (!value.isTextual()) {
            throw wrongType(name, value, "a string");
        }
        String text = value.textValue();
        if (text.isEmpty() || text.length() > longest) {
            throw ProtocolException.invalid(
                    "invalid_value",
                    path(name),
                    path(name) + " has " + text.length() + " characters but must have from 1 to " + longest);
        }
        return text;
    }

    void atMost(String name, JsonNode array, int most) {
        if (array.size() > most) {
            throw ProtocolException.invalid(
                    "array_above_max_length",
                    path(name),
                    path(name) + " has " + array.size() + " entries but may have at most " + most);
        }
    }

    private static JsonNode element(JsonNode array, int index) {
        JsonNode element = array.get(index);
        if (element == null) {
            throw new IndexOutOfBoundsException(index);
        }
        return element;
    }
}
