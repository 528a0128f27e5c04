package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import io.vertx.core.VertxOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The server with the model that it has by default, from request to answer. */
final class BuiltInModelTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newHttpClient();
    private WeirServer server;

    @BeforeEach
    void start() throws Exception {
        ModelFolder folder = ModelFolder.open(Path.of("models/weir-mini"));
        RunnerOptions options = new RunnerOptions(2, 0, 512, 1, 0);
        Metrics metrics = new Metrics("weir-mini");
        Engine engine = Engine.start(OnnxModelRunner.open(folder, options), EngineConfig.DEFAULT, metrics);
        ModelService model = new ModelService(
                "weir-mini",
                Tokenizer.load(folder.path()),
                ChatTemplate.load(folder.path()).orElseThrow(),
                GenerationDefaults.load(folder),
                engine);
        Responses responses = new Responses(ResumeLimits.DEFAULT, new MemoryResponseStore(10, 1 << 20));
        Services services = new Services(
                model, new Admission(engine::stats), metrics, ServerLimits.DEFAULT, responses, null, Origins.OWN);
        server = WeirServer.start(services, "127.0.0.1", 0, null, 1, new VertxOptions());
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private JsonNode chat(ObjectNode request) throws Exception {
        HttpResponse<String> reply = client.send(
                HttpRequest.newBuilder(URI.create(server.url() + "/v1/chat/completions"))
                        .POST(HttpRequest.BodyPublishers.ofString(request.toString()))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
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
