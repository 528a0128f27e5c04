package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What has to hold of the chunks of one stream of completions or chat completions among each other. */
final class ChunkStreamLaws {
    /** Where each answer is, by its index. */
    private final Map<Integer, Answer> answers = new HashMap<>();

    /** What came of one answer. */
    private static final class Answer {
        private int calls;
        private boolean hasEnded;
    }

    private ChunkStreamLaws() {}

    /**
     * All chunks of a stream that did not fail.
     *
     * @param usageAsked whether the request asked for a chunk of usage
     */
    static void check(List<JsonNode> chunks, boolean usageAsked) {
        for (String shared : List.of("id", "object", "created", "model")) {
            assertThat(chunks)
                    .extracting(chunk -> chunk.path(shared))
                    .containsOnly(chunks.getFirst().path(shared));
        }
        List<JsonNode> spoken = usageAsked ? chunks.subList(0, chunks.size() - 1) : chunks;
        if (usageAsked) {
            assertThat(chunks.getLast().path("choices")).isEmpty();
            assertThat(chunks.getLast().path("usage").isObject()).isTrue();
        }
        ChunkStreamLaws laws = new ChunkStreamLaws();
        for (JsonNode chunk : spoken) {
            assertThat(chunk.has("usage")).as("%s", chunk).isEqualTo(usageAsked);
            assertThat(chunk.path("usage").isObject()).isFalse();
            assertThat(chunk.path("choices")).isNotEmpty();
            chunk.path("choices").forEach(laws::accept);
        }
        assertThat(laws.answers.values()).allMatch(answer -> answer.hasEnded);
    }

    private void accept(JsonNode choice) {
        int index = choice.path("index").intValue();
        boolean isFirst = !answers.containsKey(index);
        Answer answer = answers.computeIfAbsent(index, _ -> new Answer());
        assertThat(answer.hasEnded).as("%s after the end of its answer", choice).isFalse();
        if (choice.has("delta")) {
            assertThat(choice.path("delta").has("role")).as("%s", choice).isEqualTo(isFirst);
        }
        for (JsonNode call : choice.path("delta").path("tool_calls")) {
            boolean isNew = call.path("index").intValue() == answer.calls;
            assertThat(call.has("id")).as("%s", call).isEqualTo(isNew);
            assertThat(call.has("type")).as("%s", call).isEqualTo(isNew);
            assertThat(call.path("function").has("name")).as("%s", call).isEqualTo(isNew);
            answer.calls += isNew ? 1 : 0;
            assertThat(call.path("index").intValue()).isEqualTo(answer.calls - 1);
        }
        answer.hasEnded = !choice.path("finish_reason").isNull();
        if (answer.calls > 0 && answer.hasEnded) {
            assertThat(choice.path("finish_reason").textValue()).isIn("tool_calls", "length");
        }
    }
}
