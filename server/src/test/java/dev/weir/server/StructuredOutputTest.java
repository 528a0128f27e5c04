package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.Chunk;
import java.net.http.HttpResponse;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers of the fake model, which left to itself writes random letters, held to a form. */
final class StructuredOutputTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SCHEMA = """
            {"type":"object","properties":{"city":{"type":"string","maxLength":8},"degrees":{"type":"integer","minimum":-40,
            "maximum":60},"unit":{"enum":["C","F"]}},"required":["city","degrees","unit"],"additionalProperties":false}""";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.small();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode post(String path, String body) throws Exception {
        HttpResponse<String> reply = server.post(path, body);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return JSON.readTree(reply.body());
    }

    private static void assertWeather(String text) throws Exception {
        JsonNode weather = JSON.readTree(text);
        assertThat(weather.size()).isEqualTo(3);
        assertThat(weather.path("city").textValue().length()).isLessThanOrEqualTo(8);
        assertThat(weather.path("degrees").intValue()).isBetween(-40, 60);
        assertThat(weather.path("unit").textValue()).isIn("C", "F");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void aChatAnswersInTheSchemaThatItWasGiven(int seed) throws Exception {
        JsonNode reply = post("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"How is the weather?"}],"temperature":1.5,"seed":%d,"response_format":
                 {"type":"json_schema","json_schema":{"name":"weather","strict":true,"schema":%s}}}""".formatted(seed, SCHEMA));
        JsonNode choice = reply.path("choices").path(0);
        assertWeather(choice.path("message").path("content").textValue());
        assertThat(choice.path("finish_reason").textValue()).isEqualTo("stop");
    }

    @Test
    void aResponseSaysWhichFormatItHas() throws Exception {
        JsonNode reply = post("/v1/responses", """
                {"input":"How is the weather?","text":{"format":{"type":"json_schema","name":"weather","schema":%s}}}""".formatted(SCHEMA));
        assertThat(reply.path("status").textValue()).isEqualTo("completed");
        assertWeather(reply.path("output")
                .path(0)
                .path("content")
                .path(0)
                .path("text")
                .textValue());
        assertThat(reply.path("text").path("format").path("type").textValue()).isEqualTo("json_schema");
        assertThat(reply.path("text").path("format").path("schema")).isEqualTo(JSON.readTree(SCHEMA));
    }

    @Test
    void aCompletionMatchesItsPatternOrIsOneOfItsChoices() throws Exception {
        for (int seed = 0; seed < 5; seed++) {
            String ask = "{\"prompt\":\"x\",\"max_tokens\":40,\"temperature\":1,\"seed\":" + seed
                    + ",\"structured_outputs\":";
            assertThat(post("/v1/completions", ask + "{\"regex\":\"[A-Z]{2}-\\\\d{3}\"}}")
                            .path("choices")
                            .path(0)
                            .path("text")
                            .textValue())
                    .matches("[A-Z]{2}-\\d{3}");
            JsonNode choice = post("/v1/completions", ask + "{\"choice\":[\"positive\",\"negative\"]}}")
                    .path("choices")
                    .path(0);
            assertThat(choice.path("text").textValue()).isIn("positive", "negative");
            assertThat(choice.path("finish_reason").textValue()).isEqualTo("stop");
        }
    }

    @Test
    void aStreamHasTheSameTextAsTheWhole() throws Exception {
        String ask = "{\"prompt\":\"x\",\"max_tokens\":200,\"temperature\":0,\"structured_outputs\":{\"json\":" + SCHEMA
                + "}";
        String whole = post("/v1/completions", ask + "}")
                .path("choices")
                .path(0)
                .path("text")
                .textValue();
        assertWeather(whole);
        StringBuilder streamed = new StringBuilder();
        server.post("/v1/completions", ask + ",\"stream\":true}")
                .body()
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .forEach(line -> streamed.append(Chunk.read(line.substring(6)).text()));
        assertThat(streamed.toString()).isEqualTo(whole);
    }

    @Test
    void anAnswerThatIsCutSaysSo() throws Exception {
        JsonNode choice =
                post("/v1/completions", """
                {"prompt":"x","max_tokens":5,"structured_outputs":{"json":%s}}""".formatted(SCHEMA)).path("choices").path(0);
        assertThat(choice.path("text").textValue()).startsWith("{\"cit");
        assertThat(choice.path("finish_reason").textValue()).isEqualTo("length");
    }

    @Test
    void whatTheGrammarCannotDoIsRefusedByName() {
        HttpResponse<String> reply =
                server.post("/v1/completions", "{\"prompt\":\"x\",\"structured_outputs\":{\"regex\":\"(?=a)b\"}}");
        assertThat(reply.statusCode()).isEqualTo(400);
        ApiError error = Objects.requireNonNull(Chunk.read(reply.body()).error());
        assertThat(error.param()).isEqualTo("structured_outputs.regex");
        assertThat(error.message()).contains("look-around");
    }
}
