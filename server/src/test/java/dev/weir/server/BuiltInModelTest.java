package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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

    @Test
    void aFunctionIsCalledAndItsResultTold() throws Exception {
        ObjectNode request = (ObjectNode) JSON.readTree("""
                {"messages":[{"role":"user","content":"How many degrees is it in Paris? Answer with the number only."}],
                 "tools":[{"type":"function","function":{"name":"get_weather","description":"Gets the weather of a city.",
                  "parameters":{"type":"object","properties":{"city":{"type":"string","description":"The city."}},
                  "required":["city"]}}}],"tool_choice":"required","temperature":0,"max_tokens":64}""");
        JsonNode asked = chat(request);
        assertThat(asked.path("finish_reason").textValue()).isEqualTo("tool_calls");
        JsonNode call = asked.path("message").path("tool_calls").path(0);
        assertThat(call.path("function").path("name").textValue()).isEqualTo("get_weather");
        JsonNode arguments =
                JSON.readTree(call.path("function").path("arguments").textValue());
        assertThat(arguments.path("city").textValue()).isEqualTo("Paris");
        request.withArray("messages").add(asked.path("message"));
        request.withArray("messages")
                .addObject()
                .put("role", "tool")
                .put("tool_call_id", call.path("id").textValue())
                .put("content", "{\"temperature\": 14, \"condition\": \"rainy\"}");
        request.put("tool_choice", "auto");
        JsonNode told = chat(request);
        assertThat(told.path("finish_reason").textValue()).isEqualTo("stop");
        assertThat(told.path("message").path("content").textValue()).isEqualTo("14");
    }
}
