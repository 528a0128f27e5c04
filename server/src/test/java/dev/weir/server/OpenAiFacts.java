package dev.weir.server;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What OpenAI's API states about the things that it sends, as JSON Schemas in {@code openai-facts.json}. Events are known by their
 * type, objects by their {@code object}, and what has neither by a name of ours. Any thread.
 */
final class OpenAiFacts {
    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
    private static final String FACTS = read();
    private static final Map<String, Schema> SCHEMAS = new ConcurrentHashMap<>();

    private OpenAiFacts() {}

    /** All facts as one schema. */
    static String text() {
        return FACTS;
    }

    /** What of a value is not as it is stated of its kind. */
    static List<String> faults(String kind, String json) {
        Schema schema = SCHEMAS.computeIfAbsent(
                kind,
                name -> REGISTRY.getSchema(
                        FACTS.replaceFirst("\\{", "{\"\\$ref\": \"#/\\$defs/" + name + "\","), InputFormat.JSON));
        return schema.validate(json, InputFormat.JSON).stream()
                .map(String::valueOf)
                .toList();
    }

    private static String read() {
        try (InputStream in = OpenAiFacts.class.getResourceAsStream("openai-facts.json")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
