package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.Chunk;
import java.net.http.HttpResponse;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Requests that say how long their answer is of use, on a model whose steps take two milliseconds. */
final class TimeLimitTest {
    private static final String LONG = "\"min_tokens\":300,\"max_tokens\":300,\"time_limit_ms\":500";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = new TestServer(TestServer.Size.SMALL.withStepNanos(2_000_000));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static ApiError error(HttpResponse<String> reply) {
        return Objects.requireNonNull(Chunk.read(reply.body()).error());
    }

    @Test
    void anAnswerThatCannotBeCompleteInTimeEndsWith504LongBeforeThat() {
        int before = server.model.runs;
        HttpResponse<String> reply = server.post("/v1/completions", "{\"prompt\":\"To be\"," + LONG + "}");
        assertThat(reply.statusCode()).isEqualTo(504);
        assertThat(error(reply).code()).isEqualTo("deadline_exceeded");
        assertThat(error(reply).param()).isEqualTo("time_limit_ms");
        assertThat(error(reply).message()).contains("500 ms");
        assertThat(server.model.runs - before).isLessThan(50);
    }

    @Test
    void aStreamIsToldSoInItsLastEvent() {
        HttpResponse<String> reply =
                server.post("/v1/completions", "{\"prompt\":\"To be\",\"stream\":true," + LONG + "}");
        assertThat(reply.statusCode()).isEqualTo(200);
        assertThat(reply.body()).contains("deadline_exceeded");
    }

    @Test
    void anAnswerInTimeIsTheOneWithoutALimit() {
        String ask = "{\"prompt\":\"To be\",\"max_tokens\":8,\"temperature\":0,\"ignore_eos\":true";
        HttpResponse<String> reply = server.post("/v1/completions", ask + ",\"time_limit_ms\":60000,\"priority\":3}");
        assertThat(reply.statusCode()).isEqualTo(200);
        assertThat(Chunk.read(reply.body()).text())
                .isEqualTo(Chunk.read(server.post("/v1/completions", ask + "}").body())
                        .text());
    }
}
