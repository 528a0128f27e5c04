package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.weir.engine.PrefixPool;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.Usage;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several answers to one request: n, best_of, several prompts, and echo. */
final class HttpSamplesTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String SAMPLED = "\"max_tokens\":30,\"ignore_eos\":true,\"temperature\":1.5";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.small();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The texts of the choices, which must be numbered from 0. */
    private static List<String> texts(String path, String ask) {
        HttpResponse<String> reply = server.post(path, "{" + ask + "}");
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        List<String> texts = new ArrayList<>();
        for (JsonNode choice : json(reply.body()).path("choices")) {
            assertThat(choice.path("index").intValue()).isEqualTo(texts.size());
            assertThat(choice.path("finish_reason").textValue()).isEqualTo("length");
            texts.add(
                    choice.has("message")
                            ? choice.path("message").path("content").textValue()
                            : choice.path("text").textValue());
        }
        return texts;
    }

    private static List<String> completions(String ask) {
        return texts("/v1/completions", ask);
    }

    /** The texts of the choices put together from their chunks; each ends once. */
    private static List<String> streamed(String path, String ask) {
        Map<Integer, String> texts = new TreeMap<>();
        List<Integer> ended = new ArrayList<>();
        List<String> data = HttpCompletionTest.data(
                server.post(path, "{" + ask + ",\"stream\":true}").body());
        assertThat(data).last().isEqualTo("[DONE]");
        for (String line : data.subList(0, data.size() - 1)) {
            JsonNode choice = json(line).path("choices").path(0);
            int index = choice.path("index").intValue();
            assertThat(ended).doesNotContain(index);
            if (choice.path("finish_reason").isTextual()) {
                ended.add(index);
            }
            texts.merge(index, Chunk.read(line).text(), String::concat);
        }
        assertThat(ended).containsExactlyInAnyOrderElementsOf(texts.keySet());
        return List.copyOf(texts.values());
    }

    @Test
    void greedyAnswersAreEqualAndThePromptIsCountedOnce() {
        String ask = "\"prompt\":\"To be\",\"temperature\":0,\"max_tokens\":20,\"ignore_eos\":true,\"n\":3";
        HttpResponse<String> reply = server.post("/v1/completions", "{" + ask + "}");
        assertThat(Chunk.read(reply.body()).usage()).isEqualTo(new Usage(5, 60));
        assertThat(completions(ask))
                .hasSize(3)
                .containsOnly(completions(ask.replace(",\"n\":3", "")).getFirst());
    }

    @Test
    void aSeedGivesEachSampleItsOwnAnswerAndTheSameOnesAgain() {
        String ask = "\"prompt\":\"dice\"," + SAMPLED + ",\"seed\":%d,\"n\":%d";
        List<String> four = completions(ask.formatted(7, 4));
        assertThat(four).hasSize(4).doesNotHaveDuplicates();
        assertThat(completions(ask.formatted(7, 4))).isEqualTo(four);
        for (int i = 0; i < 4; i++) {
            assertThat(completions(ask.formatted(7 + i, 1))).containsExactly(four.get(i));
        }
    }

    @Test
    void streamedAnswersAddUpToTheWholeOnesByTheirIndex() {
        String chat = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]," + SAMPLED + ",\"seed\":1,\"n\":3";
        assertThat(streamed("/v1/chat/completions", chat))
                .isEqualTo(texts("/v1/chat/completions", chat))
                .hasSize(3);
        String completion = "\"prompt\":[\"To be\",\"or not\"]," + SAMPLED + ",\"seed\":1,\"n\":2";
        assertThat(streamed("/v1/completions", completion))
                .isEqualTo(completions(completion))
                .hasSize(4);
    }

    @Test
    void answersToSeveralPromptsComePromptByPrompt() {
        String more = SAMPLED + ",\"seed\":1,\"n\":2";
        List<String> both = completions("\"prompt\":[\"To be\",\"or not\"]," + more);
        assertThat(both.subList(0, 2)).isEqualTo(completions("\"prompt\":\"To be\"," + more));
        assertThat(both.subList(2, 4)).isEqualTo(completions("\"prompt\":\"or not\"," + more));
        assertThat(completions("\"prompt\":[[84,111,32,98,101],[111,114,32,110,111,116]]," + more))
                .isEqualTo(both);
        assertThat(Chunk.read(server.post("/v1/completions", "{\"prompt\":[\"To be\",\"or not\"]," + more + "}")
                                .body())
                        .usage())
                .isEqualTo(new Usage(11, 120));
    }

    @Test
    void theBestOfSeveralIsTheOneWhoseTokensAreMostLikelyOnAverage() {
        String ask = "\"prompt\":\"best\"," + SAMPLED;
        List<String> texts = new ArrayList<>();
        List<Double> means = new ArrayList<>();
        for (int seed = 5; seed < 9; seed++) {
            JsonNode choice = json(server.post("/v1/completions", "{" + ask + ",\"logprobs\":0,\"seed\":" + seed + "}")
                            .body())
                    .path("choices")
                    .path(0);
            texts.add(choice.path("text").textValue());
            double sum = 0;
            for (JsonNode logprob : choice.path("logprobs").path("token_logprobs")) {
                sum += logprob.doubleValue();
            }
            means.add(sum / 30);
        }
        List<String> ranked = IntStream.range(0, 4)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -means.get(i)))
                .map(texts::get)
                .toList();
        assertThat(completions(ask + ",\"seed\":5,\"best_of\":4,\"n\":2")).isEqualTo(ranked.subList(0, 2));
        Chunk one = Chunk.read(server.post("/v1/completions", "{" + ask + ",\"seed\":5,\"best_of\":4}")
                .body());
        assertThat(one.text()).isEqualTo(ranked.getFirst());
        assertThat(one.usage()).isEqualTo(new Usage(4, 120));
    }

    @Test
    void echoPutsThePromptBeforeEachAnswer() {
        String ask = "\"prompt\":[\"To be\",\"or not\"]," + SAMPLED + ",\"seed\":1";
        List<String> plain = completions(ask);
        List<String> echoed = List.of("To be" + plain.get(0), "or not" + plain.get(1));
        assertThat(completions(ask + ",\"echo\":true")).isEqualTo(echoed);
        assertThat(streamed("/v1/completions", ask + ",\"echo\":true")).isEqualTo(echoed);
        assertThat(completions("\"prompt\":[[84,111]]," + SAMPLED + ",\"seed\":1,\"echo\":true")
                        .getFirst())
                .startsWith("To");
    }

    @Test
    void theSamplesOfOneRequestShareWhatTheirPromptCost() {
        String prompt = "When shall we three meet again in thunder, lightning, or in rain"; // 64 tokens, 4 blocks
        try (TestServer cached = new TestServer(TestServer.Size.SMALL.withPrefixPool(new PrefixPool(100, 16, true)))) {
            HttpResponse<String> reply =
                    cached.post("/v1/completions", "{\"prompt\":\"" + prompt + "\"," + SAMPLED + ",\"n\":4}");
            assertThat(Chunk.read(reply.body()).usage()).isEqualTo(new Usage(64, 120, 0));
            assertThat(cached.get("/metrics").body())
                    .contains("vllm:prefix_cache_hits_total{model_name=\"fake\"} " + 3 * 48 + ".0");
        }
    }

    @Test
    void moreAnswersThanCouldEverBeServedAreRefusedByName() {
        for (String[] ask : new String[][] {
            {"n", "\"prompt\":\"x\",\"n\":13"},
            {"best_of", "\"prompt\":\"x\",\"n\":2,\"best_of\":13"},
            {"prompt", "\"prompt\":[" + "\"x\",".repeat(12) + "\"x\"]"}
        }) {
            HttpResponse<String> reply = server.post("/v1/completions", "{" + ask[1] + "}");
            assertThat(reply.statusCode()).isEqualTo(400);
            assertThat(Objects.requireNonNull(Chunk.read(reply.body()).error()).param())
                    .isEqualTo(ask[0]);
            assertThat(reply.body()).contains("13 answers").contains("at most 12");
        }
        assertThat(completions("\"prompt\":\"x\"," + SAMPLED + ",\"n\":12")).hasSize(12);
    }

    @Test
    void aRequestThatFindsRoomForSomeOfItsAnswersGetsNone() {
        server.model.hold();
        TestSocket busy = server.socket();
        for (int i = 0; i < 3; i++) {
            busy.create("lane" + i, "x", dev.weir.protocol.SamplingFields.NONE);
        }
        TestServer.await(() -> "three turns", () -> server.services.admission().inFlight() == 3);
        HttpResponse<String> reply = server.post("/v1/completions", "{\"prompt\":\"x\",\"n\":10}");
        assertThat(reply.statusCode()).isEqualTo(429);
        assertThat(reply.headers().firstValue("retry-after")).isPresent();
        server.model.release();
        busy.socket.close();
        server.awaitIdle();
    }

    @Test
    void aClientThatLeavesCancelsAllItsAnswers() throws Exception {
        for (boolean stream : new boolean[] {true, false}) {
            server.model.hold();
            int before = server.model.runs;
            Socket client = new Socket(InetAddress.getLoopbackAddress(), server.server.port());
            String body =
                    "{\"prompt\":\"leave\",\"max_tokens\":300,\"ignore_eos\":true,\"n\":4,\"stream\":" + stream + "}";
            client.getOutputStream()
                    .write("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                            .formatted(body.length(), body)
                            .getBytes(StandardCharsets.US_ASCII));
            TestServer.await(() -> "a turn", () -> server.services.admission().inFlight() == 1);
            server.model.allow(3);
            TestServer.await(() -> "three steps", () -> server.model.runs == before + 3);
            client.close();
            TestServer.await(() -> "no turn", () -> server.services.admission().inFlight() == 0);
            server.model.allow(1);
            server.awaitIdle();
            assertThat(server.model.runs).isEqualTo(before + 4);
            server.model.release();
        }
    }
}
