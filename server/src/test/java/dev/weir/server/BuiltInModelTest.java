package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The server with the model that it has by default, from request to answer. */
final class BuiltInModelTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private FolderServer server;

    @BeforeEach
    void start() {
        server = new FolderServer(Path.of("models/weir-mini"), 512, null);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private JsonNode chat(ObjectNode request) throws Exception {
        HttpResponse<String> reply = server.post("/v1/chat/completions", request.toString());
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return JSON.readTree(reply.body()).path("choices").path(0);
    }

    /** Asks with a function that may be called; gives what it was called with. */
    private JsonNode call(ObjectNode request, String name) throws Exception {
        JsonNode asked = chat(request);
        assertThat(asked.path("finish_reason").textValue()).isEqualTo("tool_calls");
        JsonNode call = asked.path("message").path("tool_calls").path(0);
        assertThat(call.path("function").path("name").textValue()).isEqualTo(name);
        request.withArray("messages").add(asked.path("message"));
        return JSON.readTree(call.path("function").path("arguments").textValue());
    }

    /** Gives the result of the latest call; gives what the model then says. */
    private String told(ObjectNode request, String result) throws Exception {
        JsonNode messages = request.path("messages");
        JsonNode call = messages.path(messages.size() - 1).path("tool_calls").path(0);
        request.withArray("messages")
                .addObject()
                .put("role", "tool")
                .put("tool_call_id", call.path("id").textValue())
                .put("content", result);
        request.put("tool_choice", "auto");
        JsonNode told = chat(request);
        assertThat(told.path("finish_reason").textValue()).isEqualTo("stop");
        return told.path("message").path("content").textValue();
    }

    @Test
    void aFunctionIsCalledAndItsResultTold() throws Exception {
        ObjectNode request = (ObjectNode) JSON.readTree("""
                {"messages":[{"role":"user","content":"How many degrees is it in Paris? Answer with the number only."}],
                 "tools":[{"type":"function","function":{"name":"get_weather","description":"Gets the weather of a city.",
                  "parameters":{"type":"object","properties":{"city":{"type":"string","description":"The city."}},
                  "required":["city"]}}}],"tool_choice":"required","temperature":0,"max_tokens":64}""");
        assertThat(call(request, "get_weather").path("city").textValue()).isEqualTo("Paris");
        assertThat(told(request, "{\"temperature\": 14, \"condition\": \"rainy\"}"))
                .isEqualTo("14");
    }

    /** It cannot add such numbers by itself, but knows who can. */
    @ParameterizedTest
    @CsvSource({"23, 45", "412, 87", "640, 215"})
    void aCalculatorIsUsedForASum(int a, int b) throws Exception {
        ObjectNode request = (ObjectNode) JSON.readTree("""
                {"messages":[{"role":"user","content":"What is %d + %d?"}],
                 "tools":[{"type":"function","function":{"name":"calculator","description":"Evaluates an arithmetic expression.",
                  "parameters":{"type":"object","properties":{"expression":{"type":"string",
                  "description":"The expression, such as \\"2 * 3\\"."}},"required":["expression"]}}}],
                 "tool_choice":"auto","temperature":0,"max_tokens":64}""".formatted(a, b));
        String expression = call(request, "calculator").path("expression").textValue();
        assertThat(expression).matches("\\d+ \\+ \\d+");
        int sum = Pattern.compile(" \\+ ")
                .splitAsStream(expression)
                .mapToInt(Integer::parseInt)
                .sum();
        assertThat(told(request, "{\"result\": " + sum + "}")).contains(Integer.toString(a + b));
    }
}
