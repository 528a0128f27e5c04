package dev.weir.loadtest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.protocol.ChunkWriter;
import dev.weir.protocol.ResponseStatus;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole load tester, from its command line to its exit code, against a server that a test scripts. */
@Timeout(60)
class LoadTestMainTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    private Path folder = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private JsonNode report = MAPPER.createObjectNode();

    private int run(FakeServer server, String... args) throws IOException {
        List<String> all = new ArrayList<>(List.of("--url", server.url()));
        all.addAll(List.of(args));
        Path json = folder.resolve("report.json");
        all.addAll(List.of("--json", json.toString()));
        int code = start(all.toArray(String[]::new));
        report = Files.exists(json) ? MAPPER.readTree(json.toFile()) : MAPPER.createObjectNode();
        return code;
    }

    private int start(String... args) {
        return LoadTestMain.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
    }

    private String error(int index) {
        JsonNode error = report.path("errors").path(index);
        return error.path("kind").asText() + " " + error.path("code").asText() + " x"
                + error.path("count").asInt();
    }

    private static String[] words(int count) {
        return IntStream.range(0, count).mapToObj(i -> "w" + i + " ").toArray(String[]::new);
    }

    @Test
    void webSocketTokensAreCountedExactly() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.events(Answers.response(words(50))))) {
            assertThat(run(server, "--sessions", "4", "--requests", "20", "--api-key", "secret", "--seed", "5"))
                    .isZero();

            assertThat(report.at("/requests/done").asInt()).isEqualTo(20);
            assertThat(report.at("/tokens/output").asDouble()).isEqualTo(1000);
            assertThat(report.at("/tokens/input").asInt()).isEqualTo(100);
            assertThat(report.at("/itl_ms/count").asInt()).isEqualTo(20 * 49);
            assertThat(report.at("/ttft_ms/count").asInt()).isEqualTo(20);
            assertThat(server.sockets.get())
                    .as("sockets stay open between answers")
                    .isEqualTo(4);
            assertThat(server.authorizations).containsOnly("Bearer secret");
            assertThat(server.bodies).allSatisfy(body -> {
                assertThat(body.path("type").asText()).isEqualTo("response.create");
                assertThat(body.path("model").asText()).isEqualTo(FakeServer.MODEL);
                assertThat(body.path("ignore_eos").asBoolean()).isTrue();
                assertThat(body.path("max_output_tokens").asInt()).isEqualTo(128);
            });
            assertThat(server.bodies)
                    .extracting(body -> body.path("seed").asInt())
                    .doesNotHaveDuplicates();
            assertThat(out.toString())
                    .contains("closed load of 4 sessions")
                    .contains("20 done   0 failed   0 cancelled")
                    .contains("1,000 output, 50 per answer; exact by the server's usage");
        }
    }

    @Test
    void coalescedDeltasAreCountedByTheUsage() throws IOException {
        List<String> answer = Answers.response(60, ResponseStatus.COMPLETED, null, words(20));
        try (FakeServer server = new FakeServer(FakeServer.events(answer))) {
            assertThat(run(server, "--requests", "5", "--sessions", "1")).isZero();

            assertThat(report.at("/tokens/output").asDouble()).isEqualTo(300);
            assertThat(report.at("/itl_ms/count").asInt()).isEqualTo(5 * 57);
            assertThat(report.at("/delta_gap_ms/count").asInt()).isEqualTo(5 * 19);
            assertThat(out.toString()).contains("deltas carry 3.00 tokens on average", "delta gap");
        }
    }

    @Test
    void chatAndCompletionsAreCountedExactly() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.chunks(ChunkWriter.Kind.CHAT))) {
            assertThat(run(server, "--api", "chat", "--requests", "6", "--sessions", "2", "--max-tokens", "30"))
                    .isZero();
            assertThat(report.at("/requests/done").asInt()).isEqualTo(6);
            assertThat(report.at("/tokens/output").asDouble()).isEqualTo(180);
        }
        try (FakeServer server = new FakeServer(FakeServer.chunks(ChunkWriter.Kind.COMPLETION))) {
            assertThat(run(
                            server,
                            "--transport",
                            "sse",
                            "--api",
                            "completions",
                            "--requests",
                            "6",
                            "--max-tokens",
                            "9",
                            "--prompt-tokens",
                            "77"))
                    .isZero();
            assertThat(report.at("/tokens/output").asDouble()).isEqualTo(54);
            assertThat(report.at("/tokens/input").asInt())
                    .as("exact by token ids")
                    .isEqualTo(6 * 77);
            assertThat(server.bodies).filteredOn(body -> body.has("stream")).allSatisfy(body -> {
                assertThat(body.path("stream_options").path("include_usage").asBoolean())
                        .isTrue();
                assertThat(body.path("prompt")).hasSize(77);
            });
        }
    }

    @Test
    void responsesWorkOverServerSentEventsToo() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.events(Answers.response(words(10))))) {
            assertThat(run(server, "--transport", "sse", "--requests", "8", "--sessions", "2"))
                    .isZero();
            assertThat(report.at("/tokens/output").asDouble()).isEqualTo(80);
            assertThat(server.bodies)
                    .allSatisfy(
                            body -> assertThat(body.path("stream").asBoolean()).isTrue());
        }
    }

    @Test
    void promptTextIsFittedWithTheServersTokenizer() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.events(Answers.response("a")))) {
            assertThat(run(server, "--prompt-tokens", "33", "--requests", "3", "--sessions", "1"))
                    .isZero();
            assertThat(out.toString()).contains("prompt fitted to 33 tokens");
            assertThat(server.bodies)
                    .filteredOn(body -> body.has("type"))
                    .allSatisfy(body -> assertThat(
                                    body.at("/input/0/content").asText().split(" "))
                            .hasSize(33));

            server.hasTokenizer = false;
            assertThat(run(server, "--prompt-tokens", "33", "--requests", "3", "--sessions", "1"))
                    .isZero();
            assertThat(out.toString()).contains("prompt of about 33 tokens");
        }
    }

    @Test
    void aServerThatDiesMidStreamIsClosedEarly() throws IOException {
        FakeServer.Behaviour dying = (_, stream, number) -> {
            List<String> events = Answers.response(words(20));
            if (number % 2 == 0) {
                events.subList(0, 10).forEach(stream::send);
                stream.die();
            } else {
                events.forEach(stream::send);
                stream.end();
            }
        };
        for (String transport : List.of("ws", "sse")) {
            try (FakeServer server = new FakeServer(dying)) {
                assertThat(run(server, "--transport", transport, "--requests", "4", "--sessions", "1"))
                        .isZero();
                assertThat(report.at("/requests/done").asInt()).as(transport).isEqualTo(2);
                assertThat(report.at("/requests/failed").asInt()).isEqualTo(2);
                assertThat(error(0)).startsWith("closed_early").endsWith("x2");
                assertThat(report.at("/tokens/output").asDouble())
                        .as("what came before the end counts")
                        .isGreaterThan(40);
            }
        }
    }

    @Test
    void webSocketCloseCodesAreReported() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.events(Answers.response("a")))) {
            server.socketScript = (socket, number) -> {
                if (number == 1) {
                    return false;
                }
                var _ = socket.close((short) (number == 0 ? 1012 : 1013), number == 0 ? "restarting" : "full");
                return true;
            };
            assertThat(run(server, "--requests", "3", "--sessions", "1")).isZero();

            assertThat(report.at("/requests/done").asInt()).isEqualTo(1);
            assertThat(List.of(error(0), error(1)))
                    .containsExactlyInAnyOrder("closed_early 1012 x1", "closed_early 1013 x1");
            assertThat(out.toString()).contains("closed early 1012").contains("restarting");
        }
    }

    @Test
    void refusedHandshakesAndStatusesAreTold() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.events(Answers.response("a")))) {
            server.handshakeStatus = 503;
            assertThat(run(server, "--requests", "1")).isEqualTo(1);
            assertThat(error(0)).isEqualTo("handshake 503 x1");
            assertThat(err.toString()).contains("no request succeeded");

            server.httpStatus = 429;
            assertThat(run(server, "--requests", "2", "--sessions", "2", "--transport", "sse"))
                    .isEqualTo(1);
            assertThat(error(0)).isEqualTo("http_status 429 x2");
            assertThat(report.at("/errors/0/message").asText()).isEqualTo("slow down");
        }
    }

    @Test
    void aServerThatDoesNotStreamIsAViolation() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.events(List.of()))) {
            server.contentType = "application/json";
            assertThat(run(server, "--requests", "1", "--transport", "sse")).isEqualTo(1);
            assertThat(error(0)).isEqualTo("protocol_violation  x1");
        }
    }

    @Test
    void errorEventsAndViolationsAreTold() throws IOException {
        FakeServer.Behaviour wrong = (_, stream, number) -> {
            List<String> events = new ArrayList<>(Answers.response(words(5)));
            switch (number) {
                case 0 ->
                    stream.send("{\"type\":\"error\",\"status\":503,\"error\":{\"type\":\"server_error\","
                            + "\"code\":\"overloaded\",\"message\":\"busy\"}}");
                case 1 -> {
                    events.remove(6);
                    events.forEach(stream::send);
                }
                default -> events.forEach(stream::send);
            }
            stream.end();
        };
        for (String transport : List.of("ws", "sse")) {
            try (FakeServer server = new FakeServer(wrong)) {
                assertThat(run(server, "--transport", transport, "--requests", "3", "--sessions", "1"))
                        .isZero();
                assertThat(report.at("/requests/done").asInt()).as(transport).isEqualTo(1);
                assertThat(List.of(error(0), error(1)))
                        .containsExactlyInAnyOrder("error_event overloaded x1", "protocol_violation  x1");
            }
        }
    }

    @Test
    void anEventAfterTheEndIsAViolation() throws IOException {
        List<String> events = new ArrayList<>(Answers.response("a"));
        events.add(Answers.renumber(events.getLast(), 9));
        for (String transport : List.of("ws", "sse")) {
            try (FakeServer server = new FakeServer(FakeServer.events(events))) {
                run(server, "--transport", transport, "--requests", "4", "--sessions", "1");
                assertThat(report.at("/requests/failed").asInt()).as(transport).isPositive();
                assertThat(report.at("/errors/0/kind").asText()).isEqualTo("protocol_violation");
            }
        }
    }

    @Test
    void aServerThatIsNotThereIsNamed() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        assertThat(start("--url", "127.0.0.1:" + port)).isEqualTo(1);
        assertThat(err.toString())
                .contains("cannot reach http://127.0.0.1:" + port)
                .contains("is the server running");

        assertThat(start("--url", "127.0.0.1:" + port, "--model", "m", "--requests", "1", "--max-error-rate", "50%"))
                .isEqualTo(1);
        assertThat(out.toString()).contains("connect").contains("0 done   1 failed");
        assertThat(err.toString()).contains("--max-error-rate 0.5 missed: 1.0000 (1 failed and 0 dropped, 0 done)");
    }

    @Test
    void missedThresholdsSetTheExitCodeAndAreNamed() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.events(Answers.response("a", "b")))) {
            assertThat(run(server, "--requests", "2", "--min-tokens-per-second", "1e12"))
                    .isEqualTo(1);
            assertThat(err.toString()).contains("--min-tokens-per-second 1.0E12 missed: ");
            assertThat(report.path("missed_thresholds")).hasSize(1);

            assertThat(run(
                            server,
                            "--requests",
                            "2",
                            "--max-ttft-p99",
                            "30s",
                            "--max-itl-p99",
                            "30s",
                            "--max-error-rate",
                            "0"))
                    .isZero();
            assertThat(report.path("missed_thresholds")).isEmpty();
        }
    }

    @Test
    void aDurationEndsTheRunAndCancelsWhatIsUnderWay() throws IOException {
        FakeServer.Behaviour endless =
                (_, stream, _) -> Answers.response(words(20)).subList(0, 10).forEach(stream::send);
        for (String transport : List.of("ws", "sse")) {
            try (FakeServer server = new FakeServer(endless)) {
                assertThat(run(
                                server,
                                "--transport",
                                transport,
                                "--sessions",
                                "3",
                                "--duration",
                                "300ms",
                                "--warmup",
                                "0s"))
                        .isZero();
                assertThat(report.at("/requests/cancelled").asInt()).isEqualTo(3);
                assertThat(report.at("/tokens/output").asDouble()).isEqualTo(18);
                assertThat(report.at("/tokens/counted_by_server").asBoolean()).isFalse();
                assertThat(report.at("/window_s").asDouble()).isBetween(0.29, 5.0);
                assertThat(out.toString()).contains("one per delta (a delta may carry several)");
            }
        }
    }

    @Test
    void anOpenLoadReachesTheServer() throws IOException {
        try (FakeServer server = new FakeServer(FakeServer.events(Answers.response(words(3))))) {
            assertThat(run(server, "--rate", "500", "--requests", "100")).isZero();
            assertThat(report.at("/requests/done").asInt()
                            + report.at("/requests/dropped_arrivals").asInt())
                    .isEqualTo(100);
            assertThat(server.requests()).isEqualTo(report.at("/requests/done").asInt());
            assertThat(out.toString()).contains("open load of 500 requests/s");
        }
    }

    /** As llama.cpp's server does after each stream, in spite of the keep-alive that it promises. */
    @Test
    void whatGoesOverAConnectionThatTheServerHadClosedIsSentAgainOverANewOne() throws IOException {
        FakeServer.Behaviour closing = (_, stream, number) -> {
            if (number % 2 == 1) {
                stream.die();
            } else {
                Answers.response(words(4)).forEach(stream::send);
                stream.end();
            }
        };
        try (FakeServer server = new FakeServer(closing)) {
            assertThat(run(server, "--transport", "sse", "--requests", "4", "--sessions", "1"))
                    .isZero();
            assertThat(report.at("/requests/done").asInt()).isEqualTo(4);
            assertThat(server.requests()).isEqualTo(7);
        }
        try (FakeServer server = new FakeServer((_, stream, _) -> stream.die())) {
            run(server, "--transport", "sse", "--requests", "2", "--sessions", "1");
            assertThat(report.at("/requests/failed").asInt())
                    .as("a new one that fares no better is the server's fault")
                    .isEqualTo(2);
            assertThat(server.requests()).isEqualTo(2);
        }
    }

    @Test
    void rawRecordsHoldEveryRequest() throws IOException {
        Path raw = folder.resolve("raw.jsonl");
        FakeServer.Behaviour mixed = (_, stream, number) -> {
            if (number == 1) {
                stream.die();
            } else {
                Answers.response(words(4)).forEach(stream::send);
            }
        };
        try (FakeServer server = new FakeServer(mixed)) {
            run(server, "--requests", "3", "--sessions", "1", "--raw", raw.toString());
        }
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(raw)) {
            lines.add(MAPPER.readTree(line));
        }
        assertThat(lines).hasSize(3);
        assertThat(lines).extracting(line -> line.path("outcome").asText()).containsExactly("done", "failed", "done");
        assertThat(lines.getFirst().path("output_tokens").asInt()).isEqualTo(4);
        assertThat(lines.getFirst().path("ttft_ms").asDouble())
                .isLessThanOrEqualTo(lines.getFirst().path("e2e_ms").asDouble());
        assertThat(lines.get(1).path("kind").asText()).isEqualTo("closed_early");
        assertThat(lines.get(2).path("start_ms").asDouble())
                .isGreaterThan(lines.get(0).path("start_ms").asDouble());
    }

    @Test
    void wrongUsageIsRefusedWithARemedy() {
        assertThat(start("--sesions", "4")).isEqualTo(2);
        assertThat(err.toString()).contains("--sesions").contains("did you mean --sessions?");
        assertThat(start("--duration", "20")).isEqualTo(2);
        assertThat(err.toString()).contains("'20' is no duration").contains("20s");
        assertThat(start("--transport", "ws", "--api", "chat")).isEqualTo(2);
        assertThat(err.toString()).contains("use --transport sse for chat/completions");
        assertThat(start("--rate", "5", "--sessions", "5")).isEqualTo(2);
        assertThat(err.toString()).contains("exclude each other");
        assertThat(start("--prompt", "a", "--prompt-tokens", "5")).isEqualTo(2);
        assertThat(start("--url", "ftp://x")).isEqualTo(2);
        assertThat(start("--temperature", "3")).isEqualTo(2);
        assertThat(start("--max-error-rate", "many")).isEqualTo(2);
        assertThat(err.toString()).contains("'many' is no share");
        assertThat(start("extra")).isEqualTo(2);
    }

    @Test
    void helpListsEveryOptionWithAnExample() {
        assertThat(start("loadtest", "--help")).isZero();
        assertThat(out.toString())
                .contains("./weir loadtest --url http://127.0.0.1:8080 --sessions 64 --duration 20s")
                .contains("--max-itl-p99")
                .contains("default: 128")
                .contains("0.01 or 1%.");
    }
}
