package dev.weir.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.protocol.FunctionTool;
import dev.weir.protocol.JsonSchema;
import dev.weir.protocol.RequestReader;
import dev.weir.protocol.ToolCall;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Answers that call functions, the definitions of whose schemas have the same names. */
final class CallGrammarTest {
    private static final CallForm TIGHT = new CallForm("<tool_call>", "", "</tool_call>");
    private static final CallForm LOOSE = new CallForm("<tool_call>\n", "\n", "\n</tool_call>");
    private static final Map<String, JsonSchema.Document> FUNCTIONS = functions("""
            [{"type":"function","name":"now"},
             {"type":"function","name":"tree","parameters":{"type":"object","properties":{"t":{"$ref":"#/$defs/d"}},"required":["t"],
              "$defs":{"d":{"type":"array","items":{"$ref":"#/$defs/d"}}}}},
             {"type":"function","name":"count","parameters":{"type":"object","properties":{"n":{"$ref":"#/$defs/d"}},"required":["n"],
              "$defs":{"d":{"type":"integer","minimum":0,"maximum":9}}}}]""");

    private static Map<String, JsonSchema.Document> functions(String tools) {
        Map<String, JsonSchema.Document> functions = new LinkedHashMap<>();
        for (FunctionTool function : RequestReader.response(
                        "{\"input\":\"x\",\"tool_choice\":\"required\",\"tools\":" + tools + "}")
                .tools()
                .functions()) {
            functions.put(function.name(), Objects.requireNonNull(function.arguments()));
        }
        return functions;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            <tool_call>{"name": "now", "arguments": {}}</tool_call>                | true  | true
            <tool_call>{"name":"count","arguments":{"n":7}}</tool_call>            | true  | true
            <tool_call>{"name":"tree","arguments":{"t":[[],[[]]]}}</tool_call>     | true  | true
            <tool_call>{"name":"count","arguments":{"n":[]}}</tool_call>           | false | false
            <tool_call>{"name":"tree","arguments":{"t":7}}</tool_call>             | false | false
            <tool_call>{"name":"what","arguments":{}}</tool_call>                  | false | false
            <tool_call>{"name":"now","arguments":{}}                               | false | false
            <tool_call> {"name":"now","arguments":{}}</tool_call>                  | false | false
            It is late.                                                            | false | true
            a<tool_call                                                            | false | true
            <<tool_<tool_call>{"name":"now","arguments":{}}</tool_call>            | false | true
            I see: <tool_call>{"name":"now","arguments":{}}</tool_call>            | false | true
            <tool_call>{"name":"now","arguments":{}}</tool_call> So                | false | false
            <tool_call>{"name":"now","arguments":{}}</tool_call><tool_call>        | false | false
            """)
    void oneCallAloneOrBehindText(String text, boolean isCall, boolean isText) {
        assertThat(Bytes.accepts(Grammar.ofCalls(Bytes.TOKENS, TIGHT, FUNCTIONS, false), text))
                .isEqualTo(isCall);
        assertThat(Bytes.accepts(Grammar.ofTextThenCalls(Bytes.TOKENS, TIGHT, FUNCTIONS, false), text))
                .isEqualTo(isText);
    }

    @Test
    void severalCallsFollowOneAnotherAndNothingFollowsThem() {
        String call = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";
        Grammar calls = Grammar.ofCalls(Bytes.TOKENS, LOOSE, FUNCTIONS, true);
        assertThat(Bytes.accepts(calls, call)).isTrue();
        assertThat(Bytes.accepts(calls, call + "\n" + call + "\n" + call)).isTrue();
        assertThat(Bytes.accepts(calls, call + call)).isFalse();
        assertThat(Bytes.accepts(calls, "")).isFalse();
        Grammar text = Grammar.ofTextThenCalls(Bytes.TOKENS, LOOSE, FUNCTIONS, true);
        assertThat(Bytes.accepts(text, "")).isTrue();
        assertThat(Bytes.accepts(text, "So <tool_call")).isTrue();
        assertThat(Bytes.accepts(text, "So " + call + "\n" + call)).isTrue();
        assertThat(Bytes.accepts(text, call + "\n" + call + " So")).isFalse();
        assertThat(Bytes.accepts(text, call + "<tool_call>{")).isFalse();
        assertThat(Bytes.accepts(text, new byte[] {(byte) 0xff, 0, '<'}))
                .as("a model may write any bytes")
                .isTrue();
    }

    @Test
    void whatASchemaAsksForInVainIsToldWithTheFunctionsName() {
        assertThatThrownBy(() -> Grammar.ofCalls(Bytes.TOKENS, TIGHT, functions("""
                                [{"type":"function","name":"paint","parameters":{"type":"object","properties":{
                                 "colour":{"type":"string","format":"colour"}}}}]"""), false))
                .hasMessageStartingWith("the parameters of \"paint\": the format \"colour\" is not supported");
    }

    @Test
    void whateverIsDrawnFromTheGrammarIsACallOfADeclaredFunction() {
        SplittableRandom random = new SplittableRandom(5);
        Grammar grammar = Grammar.ofCalls(Bytes.TOKENS, LOOSE, FUNCTIONS, false);
        for (int i = 0; i < 300; i++) {
            String text = Bytes.draw(grammar, random);
            assertThat(text).startsWith(LOOSE.open()).endsWith(LOOSE.close());
            String json = text.substring(
                    LOOSE.open().length(), text.length() - LOOSE.close().length());
            ToolCall call = ToolCall.read("c", json).orElseThrow(() -> new AssertionError(text));
            assertThat(FUNCTIONS).containsKey(call.name());
            assertThat(Bytes.accepts(
                            Grammar.ofSchema(Bytes.TOKENS, Objects.requireNonNull(FUNCTIONS.get(call.name()))),
                            call.arguments().getBytes(StandardCharsets.UTF_8)))
                    .isTrue();
        }
    }
}
