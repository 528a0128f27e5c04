package dev.weir.protocol;

import java.util.List;

/** What an answer must look like, if it must look like anything. Immutable; any thread. */
public sealed interface OutputFormat {
    /** Strings that one of a choice may be. */
    int MOST_CHOICES = 1_000;

    /** The field that asked for it, named in errors. */
    String field();

    /** Any JSON object. */
    record JsonObject(String field) implements OutputFormat {}

    /**
     * A JSON value of a schema.
     *
     * @param name that the client gave the schema; may be empty
     * @param json the schema as it was sent
     * @param document what it says
     */
    record Schema(String field, String name, String json, JsonSchema.Document document) implements OutputFormat {}

    /** What matches the whole of a regular expression. */
    record Regex(String field, String pattern) implements OutputFormat {}

    /** One of these texts. */
    record Choice(String field, List<String> texts) implements OutputFormat {
        public Choice {
            texts = List.copyOf(texts);
        }
    }
}
