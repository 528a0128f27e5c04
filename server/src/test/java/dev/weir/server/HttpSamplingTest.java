package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.Chunk;
import java.net.http.HttpResponse;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the sampling fields of a request do to its text; the fake model's tokens are bytes. */
final class HttpSamplingTest {
    private static final String ASK = "\"prompt\":\"To be\",\"max_tokens\":60,\"ignore_eos\":true,\"temperature\":0";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.small();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String text(String more) {
        HttpResponse<String> reply = server.post("/v1/completions", "{" + ASK + more + "}");
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return Chunk.read(reply.body()).text();
    }

    @Test
    void fieldsThatDoNothingChangeNothing() {
        assertThat(text(",\"frequency_penalty\":0,\"presence_penalty\":0,\"repetition_penalty\":1,\"logit_bias\":{},"
                        + "\"bad_words\":[],\"include_stop_str_in_output\":false"))
                .isEqualTo(text(""));
    }

    @Test
    void biasMakesATokenCertainOrImpossible() {
        assertThat(text(",\"logit_bias\":{\"97\":100}")).isEqualTo("a".repeat(60));
        String letter = text("").substring(0, 1);
        assertThat(text(",\"logit_bias\":{\"" + (int) letter.charAt(0) + "\":-100}"))
                .doesNotStartWith(letter);
    }

    @Test
    void onlyAllowedTokensAreWritten() {
        assertThat(text(",\"temperature\":2,\"allowed_token_ids\":[97,98]")).matches("[ab]{60}");
    }

    @Test
    void badWordsAreNotWritten() {
        String plain = text("");
        String word = plain.substring(20, 22);
        String clean = text(",\"bad_words\":[\"" + escape(word) + "\"]");
        assertThat(clean).isNotEqualTo(plain).doesNotContain(word).startsWith(plain.substring(0, 10));
    }

    @Test
    void penaltiesKeepTheTextFromRepeatingItself() {
        long plain = text("").chars().distinct().count();
        assertThat(text(",\"frequency_penalty\":2,\"presence_penalty\":2")
                        .chars()
                        .distinct()
                        .count())
                .isGreaterThan(plain);
        assertThat(text(",\"repetition_penalty\":100").chars().distinct().count())
                .isGreaterThan(plain);
    }

    @Test
    void stopStringIsKeptIfAskedFor() {
        String plain = text("");
        String stop = plain.substring(30, 33);
        String stopped = text(",\"stop\":\"" + escape(stop) + "\",\"include_stop_str_in_output\":true");
        assertThat(stopped).isEqualTo(plain.substring(0, plain.indexOf(stop) + 3));
    }

    @Test
    void limitsThatLeaveNoTokenAreTheCallersFault() {
        HttpResponse<String> reply =
                server.post("/v1/completions", "{" + ASK + ",\"allowed_token_ids\":[97],\"bad_words\":[\"aa\"]}");
        assertThat(reply.statusCode()).isEqualTo(400);
        assertThat(reply.body()).contains("after 1 tokens", "bad_words");
        assertThat(server.get("/health").statusCode()).isEqualTo(200);
        assertThat(server.get("/metrics").body())
                .contains("finished_reason=\"error\",model_name=\"fake\"} 0.0")
                .containsPattern("weir_refused_requests_total\\{code=\"invalid_value\".*} [1-9]");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    logit_bias        | {"258":1}  | logit_bias           | from 0 to 257
                    allowed_token_ids | [1,258]    | allowed_token_ids[1] | from 0 to 257
                    frequency_penalty | 3          | frequency_penalty    | from -2 to 2
                    presence_penalty  | -3         | presence_penalty     | from -2 to 2
                    repetition_penalty| 0          | repetition_penalty   | above 0
                    logit_bias        | {"5":101}  | logit_bias.5         | from -100 to 100
                    """)
    void badValueIsRefusedWithItsNameAndRange(String field, String value, String param, String range) {
        for (String path : new String[] {"completions", "chat/completions", "responses"}) {
            String ask = path.equals("completions")
                    ? "\"prompt\":\"x\""
                    : path.equals("responses")
                            ? "\"input\":\"x\""
                            : "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]";
            HttpResponse<String> reply = server.post("/v1/" + path, "{%s,\"%s\":%s}".formatted(ask, field, value));
            assertThat(reply.statusCode()).isEqualTo(400);
            ApiError error = Objects.requireNonNull(Chunk.read(reply.body()).error());
            assertThat(error.param()).isEqualTo(param);
            assertThat(error.message()).startsWith(param).contains(range);
        }
    }

    /** Text as part of a JSON string. */
    private static String escape(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
