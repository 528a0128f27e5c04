package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/**
 * Writes the replies of {@code /v1/completions} and {@code /v1/chat/completions}: the chunks of a stream or the one body.
 * Immutable; any thread. Everything that all chunks of one stream share is put together once, so that a chunk costs
 * little more than quoting its text.
 */
public final class ChunkWriter {
    /** What closes a stream of chunks. */
    public static final String DONE = "[DONE]";

    private final Kind kind;
    private final String id;
    private final long createdAt;
    private final String model;
    private final String beforeIndex;
    private final String afterChoice;

    /** Which of the two APIs answers. */
    public enum Kind {
        COMPLETION("text_completion", "text_completion", "\"text\":", ""),
        CHAT("chat.completion", "chat.completion.chunk", "\"delta\":{\"content\":", "}");

        private final String object;
        private final String chunkObject;
        private final String openText;
        private final String closeText;

        Kind(String object, String chunkObject, String openText, String closeText) {
            this.object = object;
            this.chunkObject = chunkObject;
            this.openText = openText;
            this.closeText = closeText;
        }
    }

    /**
     * One answer of a reply that is not streamed.
     *
     * @param calls of functions, in a chat
     * @param logprobs of its tokens, if they were asked for
     * @param finishReason {@code stop}, {@code length} or {@code tool_calls}
     */
    public record Choice(String text, List<ToolCall> calls, List<TokenLogprob> logprobs, String finishReason) {
        public Choice {
            calls = List.copyOf(calls);
            logprobs = List.copyOf(logprobs);
        }
    }

    /**
     * A writer for one reply.
     *
     * @param id the reply's name, {@code cmpl-...} or {@code chatcmpl-...}
     * @param createdAt seconds since 1970
     * @param includeUsage whether a chunk of usage will follow, so that the others say {@code "usage": null}
     */
    public ChunkWriter(Kind kind, String id, long createdAt, String model, boolean includeUsage) {
        this.kind = kind;
        this.id = id;
        this.createdAt = createdAt;
        this.model = model;
        StringBuilder head = head();
        beforeIndex = head.append(",\"choices\":[{\"index\":").toString();
        afterChoice = includeUsage ? "}],\"usage\":null}" : "}]}";
    }

    /** The chunk that opens an answer of a chat: it carries the role. */
    public String role(int index) {
        return beforeText(index, 120)
                .append("\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null")
                .append(afterChoice)
                .toString();
    }

    /** A chunk of an answer's text, with the log-probabilities of its tokens if they were asked for. */
    public String text(int index, String text, List<TokenLogprob> logprobs) {
        StringBuilder out = beforeText(index, text.length() + 80);
        out.append(kind.openText);
        Json.quote(out, text);
        out.append(kind.closeText).append(",\"logprobs\":");
        if (logprobs.isEmpty()) {
            out.append("null");
        } else {
            out.append(Json.write(json -> LogprobJson.writeChoice(json, kind, logprobs)));
        }
        return out.append(",\"finish_reason\":null").append(afterChoice).toString();
    }

    /** The chunk that begins the answer's call of a number, counted from 0: all of it but the arguments. */
    public String call(int index, int call, String id, String name) {
        StringBuilder out =
                beforeCall(index, call, name.length() + id.length() + 80).append("\"id\":");
        Json.quote(out, id);
        out.append(",\"type\":\"function\",\"function\":{\"name\":");
        Json.quote(out, name);
        return afterCall(out.append(",\"arguments\":\"\""));
    }

    /** A chunk of the arguments of the answer's call of a number. */
    public String arguments(int index, int call, String delta) {
        StringBuilder out = beforeCall(index, call, delta.length() + 40).append("\"function\":{\"arguments\":");
        Json.quote(out, delta);
        return afterCall(out);
    }

    private StringBuilder beforeCall(int index, int call, int room) {
        return beforeText(index, room + 120)
                .append("\"delta\":{\"tool_calls\":[{\"index\":")
                .append(call)
                .append(',');
    }

    private String afterCall(StringBuilder out) {
        return out.append("}}]},\"logprobs\":null,\"finish_reason\":null")
                .append(afterChoice)
                .toString();
    }

    /** The chunk that ends an answer; {@code finishReason} as in {@link Choice}. */
    public String finish(int index, String finishReason) {
        return beforeText(index, 80)
                .append(kind == Kind.CHAT ? "\"delta\":{}" : "\"text\":\"\"")
                .append(",\"logprobs\":null,\"finish_reason\":\"")
                .append(finishReason)
                .append('"')
                .append(afterChoice)
                .toString();
    }

    private StringBuilder beforeText(int index, int room) {
        return new StringBuilder(beforeIndex.length() + 8 + room)
                .append(beforeIndex)
                .append(index)
                .append(',');
    }

    /** The chunk that counts tokens. */
    public String usage(Usage usage) {
        StringBuilder out = head();
        return out.append(",\"choices\":[],\"usage\":")
                .append(Json.write(json -> writeUsage(json, usage)))
                .append('}')
                .toString();
    }

    /** The one body of a reply that is not streamed. */
    public String whole(List<Choice> choices, Usage usage) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("id", id);
            out.writeStringField("object", kind.object);
            out.writeNumberField("created", createdAt);
            out.writeStringField("model", model);
            out.writeArrayFieldStart("choices");
            for (int i = 0; i < choices.size(); i++) {
                Choice choice = choices.get(i);
                out.writeStartObject();
                out.writeNumberField("index", i);
                writeAnswer(out, choice);
                out.writeFieldName("logprobs");
                LogprobJson.writeChoice(out, kind, choice.logprobs());
                out.writeStringField("finish_reason", choice.finishReason());
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeFieldName("usage");
            writeUsage(out, usage);
            out.writeEndObject();
        });
    }

    private void writeAnswer(JsonGenerator out, Choice choice) throws IOException {
        if (kind == Kind.COMPLETION) {
            out.writeStringField("text", choice.text());
            return;
        }
        boolean isSilent = choice.text().isEmpty() && !choice.calls().isEmpty();
        out.writeObjectFieldStart("message");
        out.writeStringField("role", "assistant");
        Json.writeNullable(out, "content", isSilent ? null : choice.text());
        out.writeNullField("refusal");
        if (!choice.calls().isEmpty()) {
            MessageWriter.writeCalls(out, choice.calls());
        }
        out.writeEndObject();
    }

    private StringBuilder head() {
        StringBuilder out = new StringBuilder(128).append("{\"id\":");
        Json.quote(out, id);
        out.append(",\"object\":\"")
                .append(kind.chunkObject)
                .append("\",\"created\":")
                .append(createdAt);
        out.append(",\"model\":");
        Json.quote(out, model);
        return out;
    }

    private static void writeUsage(JsonGenerator out, Usage usage) throws IOException {
        out.writeStartObject();
        out.writeNumberField("prompt_tokens", usage.promptTokens());
        out.writeNumberField("completion_tokens", usage.completionTokens());
        out.writeNumberField("total_tokens", usage.totalTokens());
        out.writeObjectFieldStart("prompt_tokens_details");
        out.writeNumberField("cached_tokens", usage.cachedTokens());
        out.writeEndObject();
        out.writeEndObject();
    }
}
