package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Log-probabilities in the shapes of the three APIs; the fake model's tokens are bytes, some of them halves of a character. */
final class HttpLogprobsTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String LENGTH = "\"max_tokens\":90,\"ignore_eos\":true,\"seed\":3,\"temperature\":1.2";
    private static final String CHAT =
            "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"logprobs\":true,\"top_logprobs\":3," + LENGTH;
    private static final String COMPLETION = "\"prompt\":\"To be\",\"logprobs\":2," + LENGTH;

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.small();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode whole(String path, String ask) {
        HttpResponse<String> reply = server.post(path, "{" + ask + "}");
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return json(reply.body());
    }

    private static List<JsonNode> stream(String path, String ask) {
        String body = server.post(path, "{" + ask + ",\"stream\":true}").body();
        return HttpCompletionTest.data(body).stream()
                .filter(line -> !line.equals("[DONE]"))
                .map(HttpLogprobsTest::json)
                .toList();
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The text that tokens stand for; a special token has bytes, but is not part of a text. */
    private static String textOfBytes(Iterable<JsonNode> tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (JsonNode token : tokens) {
            if (token.path("token").textValue().equals("<|end|>")) {
                continue;
            }
            token.path("bytes").forEach(value -> bytes.write(value.intValue()));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static List<JsonNode> list(JsonNode array) {
        List<JsonNode> elements = new ArrayList<>();
        array.forEach(elements::add);
        return elements;
    }

    @Test
    void everyTokenOfAChatAnswerIsToldOnceWithTheTextThatItBegins() {
        JsonNode choice = whole("/v1/chat/completions", CHAT).path("choices").path(0);
        String text = choice.path("message").path("content").textValue();
        List<JsonNode> tokens = list(choice.path("logprobs").path("content"));
        assertThat(tokens).hasSize(90);
        assertThat(textOfBytes(tokens)).isEqualTo(text);
        for (JsonNode token : tokens) {
            List<JsonNode> top = list(token.path("top_logprobs"));
            assertThat(top).hasSize(3);
            double mass = top.stream()
                    .mapToDouble(other -> Math.exp(other.path("logprob").doubleValue()))
                    .sum();
            assertThat(mass).isBetween(0.01, 1 + 1e-5);
            assertThat(token.path("logprob").doubleValue())
                    .isLessThanOrEqualTo(top.getFirst().path("logprob").doubleValue());
        }
        List<JsonNode> streamed = new ArrayList<>();
        StringBuilder streamedText = new StringBuilder();
        for (JsonNode chunk : stream("/v1/chat/completions", CHAT)) {
            JsonNode delta = chunk.path("choices").path(0);
            List<JsonNode> told = list(delta.path("logprobs").path("content"));
            streamed.addAll(told);
            streamedText.append(delta.path("delta").path("content").asText(""));
            assertThat(textOfBytes(streamed)).isEqualTo(streamedText.toString());
        }
        assertThat(streamed).isEqualTo(tokens);
    }

    @Test
    void theTokensOfACompletionComeInColumns() {
        JsonNode choice = whole("/v1/completions", COMPLETION).path("choices").path(0);
        String text = choice.path("text").textValue();
        JsonNode columns = choice.path("logprobs");
        assertThat(columns.path("tokens")).hasSize(90);
        assertThat(columns.path("token_logprobs")).hasSize(90);
        int[] codePoints = text.codePoints().toArray();
        for (int i = 0; i < 90; i++) {
            String token = columns.path("tokens").path(i).textValue();
            double logprob = columns.path("token_logprobs").path(i).doubleValue();
            JsonNode top = columns.path("top_logprobs").path(i);
            assertThat(top.path(token).doubleValue()).isEqualTo(logprob, offset(0.0));
            assertThat(top.size()).isBetween(2, 3);
            int at = columns.path("text_offset").path(i).intValue();
            if (token.equals("<|end|>")) {
                continue; // a control token is told but not shown
            }
            if (codePoints[at] == 0xFFFD) {
                continue; // what stood for half a character came together with the token after it
            }
            if (token.length() == 1) {
                assertThat(Character.toString(codePoints[at])).isEqualTo(token);
            } else {
                assertThat(token).matches("\\\\x[0-9a-f]{2}");
            }
        }
        for (String column : List.of("tokens", "token_logprobs", "top_logprobs", "text_offset")) {
            List<JsonNode> streamed = new ArrayList<>();
            for (JsonNode chunk : stream("/v1/completions", COMPLETION)) {
                streamed.addAll(
                        list(chunk.path("choices").path(0).path("logprobs").path(column)));
            }
            assertThat(streamed).isEqualTo(list(columns.path(column)));
        }
    }

    @Test
    void theTokensOfAStopStringAreNotTold() {
        String ask = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"logprobs\":true,\"temperature\":0,"
                + "\"max_tokens\":90,\"ignore_eos\":true";
        String text = whole("/v1/chat/completions", ask)
                .path("choices")
                .path(0)
                .path("message")
                .path("content")
                .textValue();
        String stop = text.substring(40, 43).replace("\\", "\\\\").replace("\"", "\\\"");
        String stopped = ask + ",\"stop\":\"" + stop + "\"";
        JsonNode choice = whole("/v1/chat/completions", stopped).path("choices").path(0);
        List<JsonNode> tokens = list(choice.path("logprobs").path("content"));
        assertThat(textOfBytes(tokens))
                .isEqualTo(choice.path("message").path("content").textValue())
                .isNotEmpty();
        List<JsonNode> streamed = new ArrayList<>();
        for (JsonNode chunk : stream("/v1/chat/completions", stopped)) {
            streamed.addAll(list(chunk.path("choices").path(0).path("logprobs").path("content")));
        }
        assertThat(streamed).isEqualTo(tokens);
    }

    @Test
    void anEndOfSequenceTokenIsNotTold() {
        JsonNode reply =
                whole("/v1/completions", "\"prompt\":\"The end.\",\"temperature\":0,\"max_tokens\":10,\"logprobs\":1");
        assertThat(reply.path("usage").path("completion_tokens").intValue()).isEqualTo(1);
        assertThat(reply.path("choices").path(0).path("logprobs").isNull()).isTrue();
    }

    @Test
    void aResponseTellsThemInItsDeltasAndItsParts() {
        String ask = "\"input\":\"hi\",\"include\":[\"message.output_text.logprobs\"],\"top_logprobs\":2,"
                + "\"max_output_tokens\":90,\"ignore_eos\":true,\"seed\":3,\"temperature\":1.2";
        JsonNode part = whole("/v1/responses", ask)
                .path("output")
                .path(0)
                .path("content")
                .path(0);
        List<JsonNode> tokens = list(part.path("logprobs"));
        assertThat(tokens).hasSize(90);
        assertThat(textOfBytes(tokens)).isEqualTo(part.path("text").textValue());
        List<JsonNode> deltas = new ArrayList<>();
        for (JsonNode event : stream("/v1/responses", ask)) {
            switch (event.path("type").textValue()) {
                case "response.output_text.delta" -> deltas.addAll(list(event.path("logprobs")));
                case "response.output_text.done" ->
                    assertThat(list(event.path("logprobs"))).isEqualTo(deltas);
                case "response.content_part.done" ->
                    assertThat(list(event.path("part").path("logprobs"))).isEqualTo(tokens);
                default -> {}
            }
        }
        assertThat(deltas.stream().map(token -> token.path("logprob")))
                .isEqualTo(tokens.stream().map(token -> token.path("logprob")).toList());
        assertThat(deltas).allSatisfy(token -> {
            assertThat(token.has("bytes")).isFalse();
            assertThat(token.path("top_logprobs")).hasSize(2);
        });
    }

    @Test
    void whoDoesNotAskIsToldNone() {
        assertThat(whole("/v1/chat/completions", CHAT.replace("\"logprobs\":true,\"top_logprobs\":3,", ""))
                        .path("choices")
                        .path(0)
                        .path("logprobs")
                        .isNull())
                .isTrue();
    }
}
