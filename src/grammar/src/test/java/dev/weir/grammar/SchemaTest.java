package dev.weir.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.weir.protocol.ProtocolException;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * An independent validator is the judge of what the grammars of schemas allow. {@code -Dtests.schemas=10000} tries so many at
 * random.
 */
class SchemaTest {
    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    private static void requireValid(String schema, String json) {
        Schema judge = REGISTRY.getSchema(schema, InputFormat.JSON);
        assertThat(judge.validate(
                        json,
                        InputFormat.JSON,
                        context -> context.executionConfig(config -> config.formatAssertionsEnabled(true))))
                .as("%s of %s", json, schema)
                .isEmpty();
    }

    @Test
    void everyTextOfRandomSchemasValidates() {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        RandomSchema schemas = new RandomSchema(random);
        for (int i = 0; i < Integer.getInteger("tests.schemas", 1_000); i++) {
            String schema = schemas.next();
            try {
                requireValid(schema, Bytes.draw(Bytes.schema(schema), random));
            } catch (RuntimeException e) {
                throw new AssertionError("-Dtests.seed=" + seed + ", schema " + schema, e);
            }
        }
    }

    /** What a program writes for a value of the schema is allowed, with gaps after commas and colons or without. */
    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = """
            {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"]} ~ {"a": 1, "b": "x"} ~ true
            {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"]} ~ {"b":"x"}          ~ true
            {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"]} ~ {"a":1}            ~ false
            {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"]} ~ {"b":"x","a":1}    ~ false
            {"type":"integer","minimum":-12,"exclusiveMaximum":105}         ~ 104             ~ true
            {"type":"integer","minimum":-12,"exclusiveMaximum":105}         ~ 105             ~ false
            {"type":"integer","minimum":-12,"exclusiveMaximum":105}         ~ -12             ~ true
            {"type":"integer","minimum":-12,"exclusiveMaximum":105}         ~ -13             ~ false
            {"type":"integer","minimum":-12,"exclusiveMaximum":105}         ~ 007             ~ false
            {"type":"number"}                                               ~ -0.5e-3         ~ true
            {"type":"number"}                                               ~ .5              ~ false
            {"type":"string","maxLength":2}                                 ~ "\u00e9\\n"     ~ true
            {"type":"string","maxLength":2}                                 ~ "abc"           ~ false
            {"type":"string","pattern":"^[a\\"]+$"}                         ~ "a\\"a"         ~ true
            {"type":"string","pattern":"b"}                                 ~ "abc"           ~ true
            {"type":"string","pattern":"b"}                                 ~ "acc"           ~ false
            {"type":"string","format":"date"}                               ~ "2026-02-28"    ~ true
            {"type":"string","format":"date"}                               ~ "2026-02-30"    ~ false
            {"type":"string","format":"email"}                              ~ "a.b+c@mail.example.org" ~ true
            {"type":"string","format":"email"}                              ~ "a..b@example.org" ~ false
            {"type":"string","format":"email"}                              ~ "a@example"     ~ false
            {"type":["string","null"]}                                      ~ null            ~ true
            {"enum":["a",1,{"b":[]}]}                                       ~ {"b":[]}        ~ true
            {"type":"array","items":{"type":"boolean"},"maxItems":2}        ~ [true, false]   ~ true
            {"type":"array","items":{"type":"boolean"},"maxItems":2}        ~ [true,true,true] ~ false
            {"type":"array","prefixItems":[{"const":1},{"type":"string"}]}  ~ [1,"x"]         ~ true
            {"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"l":{"$ref":"#/$defs/t"}}}}} ~ {"l":{"l":{"l":{}}}} ~ true
            {"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"l":{"$ref":"#/$defs/t"}}}}} ~ {"l":{"l":{"l":{}}} ~ false
            {"type":"object"}                                               ~ {"x":{"y":[1,{}]}} ~ true
            true                                                            ~ [[],{},"",0]    ~ true
            """)
    void textsOfASchema(String schema, String json, boolean isAllowed) {
        assertThat(Bytes.accepts(Bytes.schema(schema.replace("\\\\", "\\")), json.replace("\\\\", "\\")))
                .isEqualTo(isAllowed);
        if (isAllowed) {
            requireValid(schema.replace("\\\\", "\\"), json.replace("\\\\", "\\"));
        }
    }

    @Test
    void anyJsonObjectIsAnObject() {
        Grammar grammar = Grammar.ofJsonObject(Bytes.TOKENS);
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 500; i++) {
            requireValid("{\"type\":\"object\"}", Bytes.draw(grammar, random));
        }
        assertThat(Bytes.accepts(grammar, "[]")).isFalse();
        assertThat(Bytes.accepts(grammar, "{\"a\": [1, 2.5, null, \"\\u0001\", {\"b\": \"\u4e00\"}]}"))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = """
            {"type":"strnig"}                                     ~ structured_outputs.json.type
            {"type":"object","properties":{"a":{"multipleOf":2}}} ~ structured_outputs.json.properties.a.multipleOf
            {"oneOf":[{"type":"string"}]}                         ~ structured_outputs.json.oneOf
            {"type":"number","minimum":3}                         ~ structured_outputs.json.minimum
            {"type":"string","minLength":20000}                   ~ structured_outputs.json.minLength
            {"type":"string","minLength":3,"maxLength":2}         ~ structured_outputs.json
            {"type":"integer","minimum":3,"maximum":2}            ~ structured_outputs.json
            {"type":"object","required":["a"]}                    ~ structured_outputs.json.required
            {"$ref":"#/$defs/nowhere"}                            ~ structured_outputs.json
            {"$ref":"#"}                                          ~ structured_outputs.json
            {"anyOf":[{"$ref":"#"},{"type":"string"}]}            ~ structured_outputs.json
            {"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]} ~ structured_outputs.json
            {"anyOf":[]}                                          ~ structured_outputs.json.anyOf
            {"enum":[]}                                           ~ structured_outputs.json.enum
            [1]                                                   ~ structured_outputs.json
            false                                                 ~ structured_outputs.json
            {"type":"array","items":5}                            ~ structured_outputs.json.items
            {"type":["string","number"],"minimum":1}              ~ structured_outputs.json.minimum
            """)
    void whatCannotBeHeldToIsRefusedByName(String schema, String field) {
        assertThatThrownBy(() -> Bytes.schema(schema)).isInstanceOfSatisfying(ProtocolException.class, e -> {
            assertThat(e.error().param()).isEqualTo(field);
            assertThat(Objects.requireNonNull(e.getMessage())).startsWith(field);
        });
    }

    @Test
    void unknownFormatsAndPatternsAreRefusedInWords() {
        assertThatThrownBy(() -> Bytes.schema("{\"type\":\"string\",\"format\":\"colour\"}"))
                .hasMessageContaining("\"colour\"")
                .hasMessageContaining("date-time");
        assertThatThrownBy(() -> Bytes.schema("{\"type\":\"string\",\"pattern\":\"(?!a)\"}"))
                .hasMessageContaining("look-around");
    }
}
