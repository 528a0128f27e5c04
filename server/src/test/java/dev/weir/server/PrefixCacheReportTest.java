package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.PrefixPool;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.Usage;
import org.junit.jupiter.api.Test;

/** What clients and dashboards hear of the prefix cache. */
final class PrefixCacheReportTest {
    /** Its 64 characters are as many tokens. */
    private static final String LONG = "When shall we three meet again in thunder, lightning, or in rain";

    private static final String SAMPLING = "\"max_tokens\":3,\"ignore_eos\":true,\"seed\":1";
    private static final String COMPLETION = "{\"prompt\":\"" + LONG + "\"," + SAMPLING + "}";
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"" + LONG + "\"}],";
    private static final PrefixPool POOL = new PrefixPool(100, 16, true);

    @Test
    void everyApiCountsWhatItFoundAndTheMetricsAddItUp() {
        try (TestServer server = new TestServer(TestServer.Size.SMALL.withPrefixPool(POOL))) {
            Chunk first = chunk(server, "/v1/completions", COMPLETION);
            Chunk second = chunk(server, "/v1/completions", COMPLETION);
            assertThat(first.usage()).isEqualTo(new Usage(64, 3, 0));
            assertThat(second.usage()).isEqualTo(new Usage(64, 3, 48)); // the last token is always computed
            assertThat(second.text()).isEqualTo(first.text());

            // The template's frame is 17 tokens: 81 together, of which five blocks are found.
            String chat = "{" + MESSAGES + SAMPLING + "}";
            assertThat(chunk(server, "/v1/chat/completions", chat).usage()).isEqualTo(new Usage(81, 3, 0));
            assertThat(chunk(server, "/v1/chat/completions", chat).usage()).isEqualTo(new Usage(81, 3, 80));
            String streamed = server.post(
                            "/v1/chat/completions",
                            "{" + MESSAGES + SAMPLING + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}")
                    .body();
            assertThat(streamed).contains("\"prompt_tokens_details\":{\"cached_tokens\":80}}}");
            ResponseObject response = EventReader.response(
                    server.post("/v1/responses", "{\"input\":\"" + LONG + "\",\"max_output_tokens\":3}")
                            .body());
            assertThat(response.usage()).isNotNull().satisfies(usage -> {
                assertThat(usage.promptTokens()).isEqualTo(81);
                assertThat(usage.cachedTokens()).isEqualTo(80);
            });

            server.awaitIdle();
            assertThat(server.get("/metrics").body())
                    .contains("vllm:prefix_cache_queries_total{model_name=\"fake\"} " + (2 * 64 + 4 * 81) + ".0")
                    .contains("vllm:prefix_cache_hits_total{model_name=\"fake\"} " + (48 + 3 * 80) + ".0")
                    .containsPattern("weir_prefix_cache_usage_perc\\{model_name=\"fake\"} 0\\.\\d*[1-9]");
        }
    }

    @Test
    void withoutACacheNothingIsCountedAsFoundOrLookedUp() {
        try (TestServer server = TestServer.small()) {
            assertThat(server.post("/v1/completions", COMPLETION).body())
                    .contains("\"prompt_tokens_details\":{\"cached_tokens\":0}");
            assertThat(chunk(server, "/v1/completions", COMPLETION).usage()).isEqualTo(new Usage(64, 3, 0));
            assertThat(server.get("/metrics").body())
                    .contains("vllm:prefix_cache_queries_total{model_name=\"fake\"} 0.0")
                    .contains("weir_prefix_cache_usage_perc{model_name=\"fake\"} 0.0");
        }
    }

    private static Chunk chunk(TestServer server, String path, String body) {
        return Chunk.read(server.post(path, body).body());
    }
}
