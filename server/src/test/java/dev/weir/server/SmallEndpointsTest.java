package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.SamplingFields;
import io.vertx.core.http.HttpHeaders;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class SmallEndpointsTest {
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
    void tokenizeAndDetokenizeAreInverse() {
        assertThat(server.post("/tokenize", "{\"prompt\":\"ab\",\"return_token_strs\":true}")
                        .body())
                .isEqualTo("{\"count\":2,\"max_model_len\":512,\"tokens\":[97,98],\"token_strs\":[\"a\",\"b\"]}");
        assertThat(server.post("/detokenize", "{\"tokens\":[97,98,256]}").body())
                .isEqualTo("{\"prompt\":\"ab<|end|>\"}");
    }

    @Test
    void tokenizeRendersConversations() {
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"add_generation_prompt\":false}";
        assertThat(server.post("/tokenize", body).body()).contains("\"tokens\":[257,117,115,101,114,10,97]");
    }

    @Test
    void controlTokenThatAUserSpellsOutIsOrdinaryText() {
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"<|turn|>\"}],\"add_generation_prompt\":false}";
        assertThat(server.post("/tokenize", body).body())
                .contains("\"tokens\":[257,117,115,101,114,10,60,124,116,117,114,110,124,62]");
    }

    @Test
    void modelsSayTheirContextLength() {
        assertThat(server.get("/v1/models").body()).contains("\"id\":\"fake\"").contains("\"max_model_len\":512");
    }

    @Test
    void metricsCarryVllmsNamesAndCountWhatHappened() {
        TestSocket socket = server.socket();
        socket.create(
                null,
                "count",
                SamplingFields.builder()
                        .temperature(0)
                        .maxTokens(7)
                        .ignoreEos(true)
                        .build());
        socket.untilEnd();
        server.awaitIdle();
        String metrics = server.get("/metrics").body();
        for (String name : new String[] {
            "vllm:num_requests_running",
            "vllm:num_requests_waiting",
            "vllm:kv_cache_usage_perc",
            "vllm:num_preemptions_total",
            "vllm:time_to_first_token_seconds_bucket",
            "vllm:inter_token_latency_seconds_bucket",
            "vllm:e2e_request_latency_seconds_bucket",
            "vllm:request_queue_time_seconds_bucket",
            "vllm:prompt_tokens_total",
            "weir_parked_sequences",
            "weir_turns_in_flight"
        }) {
            assertThat(metrics).contains("\n" + name + "{");
        }
        assertThat(metrics)
                .contains("vllm:generation_tokens_total{model_name=\"fake\"} 7.0")
                .contains("vllm:request_success_total{finished_reason=\"length\",model_name=\"fake\"} 1.0")
                .contains("weir_tokens_total{model_name=\"fake\",tenant=\"anonymous\"} ")
                .contains("weir_websockets{model_name=\"fake\"} 1.0");
    }

    @Test
    void pageIsServedAtTheRootAndItsFilesAreAskedForAgain() {
        HttpResponse<String> page = server.get("/");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.body()).contains("<title>Weir</title>");
        assertThat(page.headers().firstValue(HttpHeaders.CACHE_CONTROL.toString()))
                .contains("no-cache");
        assertThat(server.get("/main.js").headers().firstValue("content-type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/javascript"));
        assertThat(server.get("/../pom.xml").statusCode()).isEqualTo(404);
    }
}
