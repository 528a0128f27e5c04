package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads the {@link OutputFormat} of a request: OpenAI's {@code response_format} of chats and {@code text.format} of responses, and
 * vLLM's {@code structured_outputs}. Any thread.
 */
final class OutputFormatReader {
    private static final int LONGEST_PATTERN = 10_000;
    private static final int LONGEST_CHOICE = 1_000;

    private OutputFormatReader() {}

    /** What the request asks for; null for any text. */
    static @Nullable OutputFormat read(Fields fields) {
        List<OutputFormat> found = new ArrayList<>();
        Fields chat = fields.object("response_format");
        if (chat != null) {
            add(found, openAi(chat, "response_format", "json_schema"));
        }
        JsonNode text = fields.value("text");
        Fields response = text == null || !text.isObject()
                ? null
                : Objects.requireNonNull(fields.object("text")).object("format");
        if (response != null) {
            add(found, openAi(response, "text.format", null));
        }
        Fields structured = fields.object("structured_outputs");
        if (structured != null) {
            add(found, structured(structured));
        }
        if (found.size() > 1) {
            throw ProtocolException.invalid(
                    "invalid_value",
                    found.get(1).field(),
                    found.get(1).field() + " is sent beside " + found.get(0).field() + "; send one of them");
        }
        return found.isEmpty() ? null : found.getFirst();
    }

    private static void add(List<OutputFormat> found, @Nullable OutputFormat format) {
        if (format != null) {
            found.add(format);
        }
    }

    /** A schema stands in an object of its own in chats, and beside the type in responses. */
    private static @Nullable OutputFormat openAi(Fields format, String path, @Nullable String holder) {
        String type = format.requiredString("type", "send text, json_object or json_schema");
        return switch (type) {
            case "text" -> null;
            case "json_object" -> new OutputFormat.JsonObject(path);
            case "json_schema" -> {
                Fields schema = format;
                if (holder != null) {
                    format.required(holder, "send the schema's name and the schema");
                    schema = Objects.requireNonNull(format.object(holder));
                }
                String name = schema.string("name");
                yield schema(schema, "schema", name == null ? "" : name);
            }
            default -> throw format.wrongValue("type", type, "text, json_object or json_schema");
        };
    }

    private static OutputFormat schema(Fields holder, String name, String title) {
        JsonSchema.Document document = JsonSchemaReader.read(holder, name);
        return new OutputFormat.Schema(holder.path(name), title, String.valueOf(holder.value(name)), document);
    }

    private static @Nullable OutputFormat structured(Fields fields) {
        List<OutputFormat> found = new ArrayList<>();
        if (fields.has("json")) {
            found.add(schema(fields, "json", ""));
        }
        if (fields.flag("json_object", false)) {
            found.add(new OutputFormat.JsonObject(fields.path("json_object")));
        }
        String pattern = fields.string("regex");
        if (pattern != null) {
            if (pattern.length() > LONGEST_PATTERN) {
                throw ProtocolException.invalid(
                        "string_above_max_length",
                        fields.path("regex"),
                        fields.path("regex") + " has " + pattern.length() + " characters but may have at most "
                                + LONGEST_PATTERN);
            }
            found.add(new OutputFormat.Regex(fields.path("regex"), pattern));
        }
        List<String> choices = fields.strings("choice", OutputFormat.MOST_CHOICES, LONGEST_CHOICE);
        if (!choices.isEmpty()) {
            found.add(new OutputFormat.Choice(fields.path("choice"), choices));
        }
        for (String name : List.of("grammar", "structural_tag")) {
            if (fields.has(name)) {
                throw ProtocolException.invalid(
                        "unsupported_parameter",
                        fields.path(name),
                        fields.path(name) + " is not supported; send json, json_object, regex or choice");
            }
        }
        if (found.size() != 1) {
            throw ProtocolException.invalid(
                    "invalid_value",
                    "structured_outputs",
                    "structured_outputs asks for "
                            + (found.isEmpty() ? "nothing" : "several things at once")
                            + "; send one of json, json_object, regex and choice");
        }
        return found.getFirst();
    }
}
