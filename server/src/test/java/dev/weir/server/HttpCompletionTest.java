package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.Chunk;
import dev.weir.protocol.Usage;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class HttpCompletionTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.small();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void streamedTextEqualsTheWholeTextOverEveryHttpVersion() throws Exception {
        String ask = "\"prompt\":\"To be\",\"temperature\":0,\"max_tokens\":80,\"ignore_eos\":true";
        Chunk whole = Chunk.read(server.post("/v1/completions", "{" + ask + "}").body());
        assertThat(whole.usage()).isEqualTo(new Usage(5, 80));
        assertThat(whole.finishReason()).isEqualTo("length");
        for (HttpClient.Version version : HttpClient.Version.values()) {
            try (HttpClient client = HttpClient.newBuilder().version(version).build()) {
                HttpResponse<String> reply = client.send(
                        HttpRequest.newBuilder(server.uri("/v1/completions"))
                                .POST(HttpRequest.BodyPublishers.ofString(
                                        "{" + ask + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                assertThat(reply.version()).isEqualTo(version);
                assertThat(reply.headers().firstValue("content-type")).contains("text/event-stream; charset=utf-8");
                List<String> data = data(reply.body());
                assertThat(data).last().isEqualTo("[DONE]");
                List<Chunk> chunks = data.subList(0, data.size() - 1).stream()
                        .map(Chunk::read)
                        .toList();
                assertThat(text(chunks)).isEqualTo(whole.text());
                assertThat(chunks.getLast().usage()).isEqualTo(whole.usage());
                assertThat(chunks.get(chunks.size() - 2).finishReason()).isEqualTo("length");
            }
        }
    }

    @Test
    void bodyOfSixtyKilobytesSurvivesTheUpgradeToHttp2() {
        String body = "{\"prompt\":\"hi\",\"max_tokens\":1,\"user\":\"" + "u".repeat(60_000) + "\"}";
        HttpResponse<String> reply = server.post("/v1/completions", body);
        assertThat(reply.statusCode()).isEqualTo(200);
        assertThat(reply.version()).isEqualTo(HttpClient.Version.HTTP_2);
    }

    @Test
    void stopStringEndsTheTextAndIsNotPartOfIt() {
        String ask = "\"prompt\":\"stop here\",\"temperature\":0,\"max_tokens\":100,\"ignore_eos\":true";
        String whole = Chunk.read(
                        server.post("/v1/completions", "{" + ask + "}").body())
                .text();
        String stop = word(whole.substring(40));
        int at = whole.indexOf(stop);
        int tokens = tokensUntil(stop, ask);
        String stopped = "{" + ask + ",\"stop\":[\"never there\",\"" + stop + "\"]";
        Chunk reply = Chunk.read(server.post("/v1/completions", stopped + "}").body());
        assertThat(reply.text()).isEqualTo(whole.substring(0, at));
        assertThat(reply.finishReason()).isEqualTo("stop");
        assertThat(reply.usage()).isEqualTo(new Usage(9, tokens));
        List<String> data = data(server.post(
                        "/v1/completions", stopped + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}")
                .body());
        List<Chunk> chunks =
                data.subList(0, data.size() - 1).stream().map(Chunk::read).toList();
        assertThat(text(chunks)).isEqualTo(reply.text());
        assertThat(chunks.getLast().usage()).isEqualTo(reply.usage());
        server.awaitIdle();
    }

    @Test
    void endOfSequenceTokenEndsTheTextAndIsCounted() {
        Chunk reply = Chunk.read(
                server.post("/v1/completions", "{\"prompt\":\"The end.\",\"temperature\":0,\"max_tokens\":10}")
                        .body());
        assertThat(reply).isEqualTo(new Chunk("", "stop", new Usage(8, 1), null));
    }

    @Test
    void completionDefaultsToSixteenTokensAndChatToWhatTheContextLeaves() {
        Chunk completion =
                Chunk.read(server.post("/v1/completions", "{\"prompt\":[65,66],\"ignore_eos\":true,\"seed\":1}")
                        .body());
        assertThat(completion.usage()).isEqualTo(new Usage(2, 16));
        Chunk chat = Chunk.read(server.post(
                        "/v1/chat/completions",
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"ignore_eos\":true,\"seed\":1}")
                .body());
        Usage usage = chat.usage();
        assertThat(usage).isNotNull();
        assertThat(usage.totalTokens()).isEqualTo(512);
        assertThat(chat.finishReason()).isEqualTo("length");
    }

    @Test
    void chatStreamOpensWithTheRoleAndAddsUpToTheWholeText() {
        String ask = "\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"hi\"}],"
                + "\"temperature\":0,\"max_completion_tokens\":60,\"ignore_eos\":true";
        Chunk whole =
                Chunk.read(server.post("/v1/chat/completions", "{" + ask + "}").body());
        String stream = server.post("/v1/chat/completions", "{" + ask + ",\"stream\":true}")
                .body();
        List<String> data = data(stream);
        assertThat(data.getFirst()).contains("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");
        List<Chunk> chunks =
                data.subList(0, data.size() - 1).stream().map(Chunk::read).toList();
        assertThat(text(chunks)).isEqualTo(whole.text()).isNotEmpty();
        assertThat(chunks.getLast().finishReason()).isEqualTo("length");
    }

    @Test
    void chatTakesTheDefaultsOfTheModelFolderAndCompletionsDoNot() {
        // The folder's stop string is "zz": the fake model writes it where asked to repeat one letter.
        String chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":2,\"seed\":%d%s}";
        boolean stopped = false;
        for (int seed = 0; seed < 40 && !stopped; seed++) {
            String free = Chunk.read(server.post("/v1/chat/completions", chat.formatted(seed, ",\"ignore_eos\":true"))
                            .body())
                    .text();
            if (free.contains("zz")) {
                stopped = true;
                String cut = Chunk.read(server.post(
                                        "/v1/chat/completions",
                                        chat.formatted(seed, ",\"stop_token_ids\":[],\"min_tokens\":0"))
                                .body())
                        .text();
                assertThat(cut).doesNotContain("zz");
            }
        }
        assertThat(stopped).as("some seed writes zz").isTrue();
    }

    @Test
    void sameSeedGivesTheSameText() {
        String ask = "{\"prompt\":\"dice\",\"temperature\":1.5,\"max_tokens\":60,\"ignore_eos\":true,\"seed\":%d}";
        String first = Chunk.read(
                        server.post("/v1/completions", ask.formatted(7)).body())
                .text();
        assertThat(Chunk.read(server.post("/v1/completions", ask.formatted(7)).body())
                        .text())
                .isEqualTo(first);
        assertThat(Chunk.read(server.post("/v1/completions", ask.formatted(8)).body())
                        .text())
                .isNotEqualTo(first);
    }

    @Test
    void promptBeyondTheInlineLimitIsEncodedOnAWorkerAndServed() {
        String body = "{\"prompt\":\"" + "long ".repeat(3000) + "\",\"max_tokens\":3}";
        Chunk reply = Chunk.read(server.post("/v1/completions", body).body());
        assertThat(reply.error()).isNotNull();
        assertThat(reply.error().code()).isEqualTo("context_length_exceeded");
        assertThat(reply.error().message()).contains("15000 tokens").contains("512");
        try (TestServer large = new TestServer(TestServer.Size.SMALL.withMaxTokens(20_000))) {
            Chunk served = Chunk.read(large.post("/v1/completions", body).body());
            assertThat(served.usage()).isEqualTo(new Usage(15_000, 3));
        }
    }

    static List<String> data(String stream) {
        return stream.lines()
                .filter(line -> line.startsWith("data: "))
                .map(line -> line.substring(6))
                .toList();
    }

    static String text(List<Chunk> chunks) {
        StringBuilder text = new StringBuilder();
        chunks.forEach(chunk -> text.append(chunk.text()));
        return text.toString();
    }

    /** The first three letters in a row. */
    private static String word(String text) {
        Matcher letters = Pattern.compile("[a-zA-Z]{3}").matcher(text);
        assertThat(letters.find()).as("three letters in a row in %s", text).isTrue();
        return letters.group();
    }

    /** Tokens of the shortest answer that holds a text. */
    private static int tokensUntil(String text, String ask) {
        int tokens = 1;
        while (!Chunk.read(server.post("/v1/completions", "{" + ask.replace("100", Integer.toString(tokens)) + "}")
                        .body())
                .text()
                .contains(text)) {
            tokens++;
        }
        return tokens;
    }
}
