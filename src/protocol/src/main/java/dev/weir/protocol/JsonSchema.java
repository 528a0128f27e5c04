package dev.weir.protocol;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a JSON value may look like: the part of JSON Schema (2020-12) that an answer can be held to token by token, much the part
 * that OpenAI's structured outputs take. Immutable; any thread.
 */
public sealed interface JsonSchema {
    /** No bound on a length. */
    int UNLIMITED = Integer.MAX_VALUE;

    /** A schema with what its references mean. */
    record Document(JsonSchema root, Map<String, JsonSchema> definitions) {
        public Document {
            definitions = Map.copyOf(definitions);
        }
    }

    /** Any value. */
    record Any() implements JsonSchema {}

    /**
     * A string.
     *
     * @param minLength characters at least
     * @param maxLength characters at most, or {@link #UNLIMITED}
     * @param pattern a regular expression that matches somewhere in it; null for none
     * @param format such as {@code date-time}; null for none
     */
    record Text(
            int minLength,
            int maxLength,
            @Nullable String pattern,
            @Nullable String format) implements JsonSchema {}

    /** Any number. */
    record Decimal() implements JsonSchema {}

    /** A whole number within bounds, both included; null for none. */
    record Whole(@Nullable Long min, @Nullable Long max) implements JsonSchema {}

    /** One of these values, as JSON writes them. */
    record Literal(List<String> values) implements JsonSchema {
        public Literal {
            values = List.copyOf(values);
        }
    }

    /** An array of at least {@code min} and at most {@code max} items. */
    record Array(JsonSchema item, int min, int max) implements JsonSchema {}

    /** An array of exactly these items. */
    record Tuple(List<JsonSchema> items) implements JsonSchema {
        public Tuple {
            items = List.copyOf(items);
        }
    }

    /** An object of exactly these members, in this order; what is not required may be missing. */
    record Members(List<Member> members) implements JsonSchema {
        public Members {
            members = List.copyOf(members);
        }
    }

    /**
     * A member of an object.
     *
     * @param quotedName as JSON writes it
     */
    record Member(String quotedName, JsonSchema value, boolean required) {}

    /** An object of any names with values of one kind. */
    record Entries(JsonSchema value, int min, int max) implements JsonSchema {}

    /** One of several. */
    record AnyOf(List<JsonSchema> options) implements JsonSchema {
        public AnyOf {
            options = List.copyOf(options);
        }
    }

    /** What a definition says. */
    record Reference(String name) implements JsonSchema {}
}
