package dev.weir.loadtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChunkWriter;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.Usage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerStreamTest {

    private final List<Long> deltaTimes = new ArrayList<>();
    private int inputTokens = -1;
    private int outputTokens = -1;
    private long now;

    private final AnswerListener listener = new AnswerListener() {
        @Override
        public void sent(long nowNanos, long connectNanos) {}

        @Override
        public void delta(long nowNanos) {
            deltaTimes.add(nowNanos);
        }

        @Override
        public void usage(int input, int output) {
            inputTokens = input;
            outputTokens = output;
        }

        @Override
        public void ended(long nowNanos, Outcome outcome) {}

        @Override
        public void strayed(long nowNanos, Outcome.Failed violation) {}
    };

    private AnswerStream stream(Api api, List<String> events) {
        AnswerStream stream = new AnswerStream(api);
        stream.begin(listener);
        for (String event : events) {
            byte[] bytes = event.getBytes(StandardCharsets.UTF_8);
            stream.event(bytes, 0, bytes.length, ++now);
        }
        return stream;
    }

    private Outcome responses(List<String> events) {
        return stream(Api.RESPONSES, events).outcome();
    }

    private static void assertViolation(Outcome outcome, String message) {
        assertThat(outcome).isInstanceOfSatisfying(Outcome.Failed.class, failed -> {
            assertThat(failed.kind()).isEqualTo(ErrorKind.PROTOCOL_VIOLATION);
            assertThat(failed.message()).contains(message);
        });
    }

    @Test
    void aWholeResponseIsReadAndCounted() {
        List<String> events = Answers.response("one ", "\"two\" ", "dreißig\uD83D\uDE00", "\n");

        assertThat(responses(events)).isEqualTo(new Outcome.Done("completed"));
        assertThat(deltaTimes).hasSize(4);
        assertThat(inputTokens).isEqualTo(5);
        assertThat(outputTokens).isEqualTo(4);
    }

    @Test
    void surrogatesMaySplitAcrossDeltas() {
        List<String> events = new ArrayList<>(Answers.response("aX", "Yb"));
        events.set(4, events.get(4).replace("X", "\\ud83d"));
        events.set(5, events.get(5).replace("Y", "\\ude00"));
        events.replaceAll(event -> event.replace("XY", "\uD83D\uDE00"));

        assertThat(responses(events)).isEqualTo(new Outcome.Done("completed"));
    }

    @Test
    void anAnswerCutByItsLengthIsDone() {
        assertThat(responses(Answers.incompleteResponse("max_output_tokens", "a", "b")))
                .isEqualTo(new Outcome.Done("incomplete"));
        assertThat(outputTokens).isEqualTo(2);
    }

    @Test
    void aLostEventIsAViolation() {
        List<String> events = new ArrayList<>(Answers.response("a", "b", "c"));
        events.remove(5);

        assertViolation(responses(events), "response.output_text.delta has sequence_number 6 after 4");
    }

    @Test
    void changedTextIsAViolation() {
        List<String> events = new ArrayList<>(Answers.response("abc", "def"));
        events.set(4, events.get(4).replace("abc", "abd"));

        assertViolation(responses(events), "6 characters came as deltas, the final text has 6");
    }

    @Test
    void eventsOutOfOrderAreViolations() {
        List<String> whole = Answers.response("a");
        assertViolation(responses(List.of(Answers.renumber(whole.get(4), 0))), "as the first event");
        assertViolation(
                responses(List.of(whole.get(0), whole.get(1), Answers.renumber(whole.get(4), 2))),
                "before any output item");
        assertViolation(
                responses(List.of(whole.get(0), whole.get(1), whole.get(2), Answers.renumber(whole.get(4), 3))),
                "without an open part");
        assertViolation(
                responses(List.of(
                        whole.get(0), whole.get(1), whole.get(2), whole.get(3), Answers.renumber(whole.get(8), 4))),
                "response.completed inside an open text");
    }

    @Test
    void aSecondTerminalEventIsAViolation() {
        List<String> events = new ArrayList<>(Answers.response("a"));
        events.add(Answers.renumber(events.getLast(), 9));

        assertViolation(responses(events), "response.completed after the end of the answer");
    }

    @Test
    void unknownEventsMayStandInside() {
        List<String> events = new ArrayList<>(Answers.response("a"));
        events.add(2, "{\"type\":\"response.reasoning_text.delta\",\"delta\":\"hm\",\"sequence_number\":2}");
        for (int i = 3; i < events.size(); i++) {
            events.set(i, Answers.renumber(events.get(i), i));
        }

        assertThat(responses(events)).isEqualTo(new Outcome.Done("completed"));
        assertThat(deltaTimes).hasSize(2);
    }

    @Test
    void failuresAndErrorsNameTheServersCode() {
        List<String> events = Answers.response("a");
        String failed = "{\"type\":\"response.failed\",\"sequence_number\":2,\"response\":{\"status\":\"failed\","
                + "\"error\":{\"code\":\"server_error\",\"message\":\"out of blocks\"}}}";
        assertThat(responses(List.of(events.get(0), events.get(1), failed)))
                .isEqualTo(new Outcome.Failed(ErrorKind.ERROR_EVENT, "server_error", "out of blocks"));
        assertThat(responses(List.of("{\"type\":\"error\",\"status\":429,\"error\":{\"type\":\"rate_limit_error\","
                        + "\"code\":null,\"message\":\"too many\",\"headers\":{\"retry-after\":\"1\"}}}")))
                .isEqualTo(new Outcome.Failed(ErrorKind.ERROR_EVENT, "rate_limit_error", "too many"));
        String slow = EventWriter.brokenOff(ApiError.refused(408, "slow_consumer", "nothing was read"), 1);
        assertThat(responses(List.of(events.get(0), events.get(1), slow)))
                .isEqualTo(new Outcome.Failed(ErrorKind.ERROR_EVENT, "slow_consumer", "nothing was read"));
    }

    @Test
    void malformedJsonIsAViolation() {
        assertViolation(responses(List.of("{\"type\":\"response.created\"")), "");
        assertViolation(responses(List.of("[]")), "not a JSON object");
        assertViolation(responses(List.of("hello")), "malformed JSON");
    }

    @Test
    void chunksOfChatAreReadAndCounted() {
        ChunkWriter writer = new ChunkWriter(ChunkWriter.Kind.CHAT, "id", 1, "m", true);
        AnswerStream stream = stream(
                Api.CHAT,
                List.of(
                        writer.role(0),
                        writer.text(0, "a", List.of()),
                        writer.text(0, "b", List.of()),
                        writer.finish(0, "length"),
                        writer.usage(new Usage(3, 6)),
                        "[DONE]"));

        assertThat(stream.outcome()).isEqualTo(new Outcome.Done("length"));
        assertThat(deltaTimes).as("the role is no token").containsExactly(2L, 3L);
        assertThat(inputTokens).isEqualTo(3);
        assertThat(outputTokens).isEqualTo(6);
    }

    @Test
    void reasoningCountsAsTokens() {
        stream(
                Api.CHAT,
                List.of("{\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\",\"content\":null}}]}"));

        assertThat(deltaTimes).hasSize(1);
    }

    @Test
    void chunkStreamsEndWithOneDoneMark() {
        ChunkWriter writer = new ChunkWriter(ChunkWriter.Kind.COMPLETION, "id", 1, "m", false);
        assertViolation(
                stream(Api.COMPLETIONS, List.of(writer.text(0, "a", List.of()), "[DONE]"))
                        .outcome(),
                "before the answer");
        assertViolation(
                stream(Api.COMPLETIONS, List.of(writer.finish(0, "stop"), "[DONE]", "[DONE]"))
                        .outcome(),
                "second");
        assertViolation(
                stream(Api.COMPLETIONS, List.of(writer.finish(0, "stop"), writer.text(0, "b", List.of())))
                        .outcome(),
                "text after the chunk");
        AnswerStream unmarked = stream(Api.COMPLETIONS, List.of(writer.finish(0, "stop")));
        assertThat(unmarked.outcome()).isNull();
        unmarked.endOfStream(99);
        assertViolation(unmarked.outcome(), "without [DONE]");
    }

    @Test
    void aStreamThatStopsShortClosedEarly() {
        AnswerStream stream = stream(Api.RESPONSES, Answers.response("a", "b").subList(0, 5));
        stream.endOfStream(77);

        assertThat(stream.endNanos()).isEqualTo(77);
        assertThat(stream.outcome())
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        failed -> assertThat(failed.kind()).isEqualTo(ErrorKind.CLOSED_EARLY));
    }

    @Test
    void anErrorInsideChunksNamesItsCode() {
        assertThat(stream(
                                Api.CHAT,
                                List.of("{\"error\":{\"message\":\"no\",\"type\":\"BadRequestError\",\"code\":400}}"))
                        .outcome())
                .isEqualTo(new Outcome.Failed(ErrorKind.ERROR_EVENT, "400", "no"));
    }
}
