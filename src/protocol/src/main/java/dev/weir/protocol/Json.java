package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one place that touches Jackson's factory: bounded parsing, writing to a string, and fast quoting. Any thread. */
final class Json {
    /** Deep enough for every message of the protocol, shallow enough that a hostile one costs nothing. */
    private static final int MAX_DEPTH = 64;

    private static final int ABBREVIATED = 80;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build();
    private static final JsonMapper MAPPER = JsonMapper.builder(FACTORY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /** Something that writes one JSON value. */
    interface Body {
        void write(JsonGenerator out) throws IOException;
    }

    static String write(Body body) {
        StringWriter text = new StringWriter(256);
        try (JsonGenerator out = FACTORY.createGenerator(text)) {
            body.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a StringWriter does no I/O
        }
        return text.toString();
    }

    /** Parses a message, which must be one JSON object. */
    static Fields parseObject(String text) {
        JsonNode node;
        try {
            node = MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String where = at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
            throw ProtocolException.invalid(
                    "invalid_json",
                    null,
                    "the message is not valid JSON" + where + ": " + firstSentence(e.getOriginalMessage())
                            + "; send one JSON object");
        }
        if (!node.isObject()) {
            String got = node.isMissingNode() ? "nothing" : abbreviate(node.toString());
            throw ProtocolException.invalid(
                    "invalid_json", null, "the message is " + got + " but must be one JSON object");
        }
        return new Fields(node, "");
    }

    /** A parser of one text. */
    static JsonParser parser(String text) throws IOException {
        return FACTORY.createParser(text);
    }

    /** Parses what was valid before. */
    static JsonNode tree(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text + " is no JSON", e);
        }
    }

    /** Whether a text is one JSON object. */
    static boolean isObject(String text) {
        try {
            return MAPPER.readTree(text).isObject();
        } catch (JsonProcessingException _) {
            return false;
        }
    }

    /** Appends {@code text} as a quoted JSON string. */
    static void quote(StringBuilder out, String text) {
        out.append('"');
        JsonStringEncoder.getInstance().quoteAsString(text, out);
        out.append('"');
    }

    static void writeErrorFields(JsonGenerator out, ApiError error) throws IOException {
        out.writeStringField("message", error.message());
        out.writeStringField("type", error.type());
        writeNullable(out, "param", error.param());
        writeNullable(out, "code", error.code());
    }

    static void writeNullable(JsonGenerator out, String name, @Nullable String value) throws IOException {
        if (value == null) {
            out.writeNullField(name);
        } else {
            out.writeStringField(name, value);
        }
    }

    static void writeStrings(JsonGenerator out, String name, Map<String, String> values) throws IOException {
        out.writeObjectFieldStart(name);
        for (Map.Entry<String, String> value : values.entrySet()) {
            out.writeStringField(value.getKey(), value.getValue());
        }
        out.writeEndObject();
    }

    /** A value short enough for an error message. */
    static String abbreviate(String value) {
        if (value.length() <= ABBREVIATED) {
            return value;
        }
        int end = Character.isHighSurrogate(value.charAt(ABBREVIATED - 1)) ? ABBREVIATED - 1 : ABBREVIATED;
        return value.substring(0, end) + "...";
    }

    private static String firstSentence(String message) {
        int end = message.indexOf('\n');
        return abbreviate((end < 0 ? message : message.substring(0, end)).strip());
    }
}
