package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes requests and client events as JSON on the client's side, the inverse of {@link RequestReader}. Any thread. */
public final class RequestWriter {
    private RequestWriter() {}

    /** Body of {@code POST /v1/completions}. */
    public static String completion(CompletionRequest request) {
        return Json.write(out -> {
            out.writeStartObject();
            writeOptional(out, "model", request.model());
            out.writeFieldName("prompt");
            if (request.prompts().size() == 1) {
                writePrompt(out, request.prompts().getFirst());
            } else {
                out.writeStartArray();
                for (Prompt prompt : request.prompts()) {
                    writePrompt(out, prompt);
                }
                out.writeEndArray();
            }
            writeAnswers(out, "n", request.n(), 1);
            writeAnswers(out, "best_of", request.bestOf(), request.n());
            if (request.echo()) {
                out.writeBooleanField("echo", true);
            }
            writeSampling(out, request.sampling(), "max_tokens");
            writeOptional(out, "logprobs", request.sampling().logprobs());
            writeStream(out, request.stream(), request.includeUsage());
            out.writeEndObject();
        });
    }

    /** Body of {@code POST /v1/chat/completions}. */
    public static String chatCompletion(ChatCompletionRequest request) {
        return Json.write(out -> {
            out.writeStartObject();
            writeOptional(out, "model", request.model());
            MessageWriter.writeMessages(out, request.messages());
            writeTools(out, request.tools(), true);
            writeAnswers(out, "n", request.n(), 1);
            writeSampling(out, request.sampling(), "max_completion_tokens");
            if (request.sampling().logprobs() != null) {
                out.writeBooleanField("logprobs", true);
                writeOptional(out, "top_logprobs", request.sampling().logprobs());
            }
            writeStream(out, request.stream(), request.includeUsage());
            out.writeEndObject();
        });
    }

    /** Body of {@code POST /v1/responses}. */
    public static String response(ResponseRequest request) {
        return Json.write(out -> {
            out.writeStartObject();
            writeResponse(out, request);
            if (request.stream()) {
                out.writeBooleanField("stream", true);
            }
            out.writeEndObject();
        });
    }

    /** An event for the WebSocket. */
    public static String clientEvent(ClientEvent event) {
        return Json.write(out -> {
            out.writeStartObject();
            switch (event) {
                case ClientEvent.Create(String _, String _, ResponseRequest request) -> {
                    out.writeStringField("type", "response.create");
                    writeResponse(out, request);
                }
                case ClientEvent.Cancel(String _, String _, String responseId) -> {
                    out.writeStringField("type", "response.cancel");
                    writeOptional(out, "response_id", responseId);
                }
                case ClientEvent.Steer(String _, String _, String responseId, String input) -> {
                    out.writeStringField("type", "response.steer");
                    out.writeStringField("previous_response_id", responseId);
                    out.writeFieldName("input");
                    out.writeRawValue(input);
                }
                case ClientEvent.Resume(String _, String _, String responseId, int startingAfter) -> {
                    out.writeStringField("type", "response.resume");
                    out.writeStringField("response_id", responseId);
                    out.writeNumberField("starting_after", startingAfter);
                }
            }
            writeOptional(out, "event_id", event.eventId());
            writeOptional(out, "stream_id", event.streamId());
            out.writeEndObject();
        });
    }

    private static void writePrompt(JsonGenerator out, Prompt prompt) throws IOException {
        switch (prompt) {
            case Prompt.Text(String text) -> out.writeString(text);
            case Prompt.Tokens(int[] ids) -> out.writeArray(ids, 0, ids.length);
        }
    }

    private static void writeAnswers(JsonGenerator out, String name, int count, int ifAbsent) throws IOException {
        if (count != ifAbsent) {
            out.writeNumberField(name, count);
        }
    }

    private static void writeResponse(JsonGenerator out, ResponseRequest request) throws IOException {
        writeOptional(out, "model", request.model());
        MessageWriter.writeInput(out, request.input());
        writeOptional(out, "instructions", request.instructions());
        writeTools(out, request.tools(), false);
        writeSampling(out, request.sampling(), "max_output_tokens");
        if (request.sampling().logprobs() != null) {
            writeStrings(out, "include", List.of(RequestReader.LOGPROBS_INCLUDED));
            writeOptional(out, "top_logprobs", request.sampling().logprobs());
        }
        writeOptional(out, "previous_response_id", request.previousResponseId());
        writeOptional(out, "conversation", request.conversation());
        if (!request.store()) {
            out.writeBooleanField("store", false);
        }
        if (!request.generate()) {
            out.writeBooleanField("generate", false);
        }
        if (!request.metadata().isEmpty()) {
            Json.writeStrings(out, "metadata", request.metadata());
        }
    }

    private static void writeTools(JsonGenerator out, Tools tools, boolean isNested) throws IOException {
        if (!tools.functions().isEmpty()) {
            ToolsWriter.writeList(out, tools, isNested);
        }
        if (tools.choice() != Tools.Choice.AUTO) {
            ToolsWriter.writeChoice(out, tools, isNested);
        }
        if (!tools.parallelCalls()) {
            out.writeBooleanField("parallel_tool_calls", false);
        }
    }

    /** By vLLM's name, which all three APIs take. */
    private static void writeFormat(JsonGenerator out, OutputFormat format) throws IOException {
        out.writeObjectFieldStart("structured_outputs");
        switch (format) {
            case OutputFormat.JsonObject _ -> out.writeBooleanField("json_object", true);
            case OutputFormat.Schema schema -> {
                out.writeFieldName("json");
                out.writeRawValue(schema.json());
            }
            case OutputFormat.Regex regex -> out.writeStringField("regex", regex.pattern());
            case OutputFormat.Choice choice -> writeStrings(out, "choice", choice.texts());
        }
        out.writeEndObject();
    }

    private static void writeSampling(JsonGenerator out, SamplingFields sampling, String maxName) throws IOException {
        writeOptional(out, "temperature", sampling.temperature());
        writeOptional(out, "top_p", sampling.topP());
        writeOptional(out, "top_k", sampling.topK());
        writeOptional(out, "min_p", sampling.minP());
        writeOptional(out, "frequency_penalty", sampling.frequencyPenalty());
        writeOptional(out, "presence_penalty", sampling.presencePenalty());
        writeOptional(out, "repetition_penalty", sampling.repetitionPenalty());
        if (!sampling.logitBias().isEmpty()) {
            out.writeObjectFieldStart("logit_bias");
            for (Map.Entry<Integer, Double> bias : sampling.logitBias().entrySet()) {
                out.writeNumberField(bias.getKey().toString(), bias.getValue());
            }
            out.writeEndObject();
        }
        writeStrings(out, "bad_words", sampling.badWords());
        writeIds(out, "allowed_token_ids", sampling.allowedTokenIds());
        writeOptional(out, "seed", sampling.seed());
        writeOptional(out, maxName, sampling.maxTokens());
        if (sampling.minTokens() > 0) {
            out.writeNumberField("min_tokens", sampling.minTokens());
        }
        writeStrings(out, "stop", sampling.stop());
        writeIds(out, "stop_token_ids", sampling.stopTokenIds());
        if (sampling.includeStop()) {
            out.writeBooleanField("include_stop_str_in_output", true);
        }
        if (sampling.ignoreEos()) {
            out.writeBooleanField("ignore_eos", true);
        }
        if (sampling.priority() != 0) {
            out.writeNumberField("priority", sampling.priority());
        }
        writeOptional(out, "time_limit_ms", sampling.timeLimitMillis());
        if (sampling.format() != null) {
            writeFormat(out, sampling.format());
        }
    }

    private static void writeStrings(JsonGenerator out, String name, List<String> strings) throws IOException {
        if (!strings.isEmpty()) {
            out.writeArrayFieldStart(name);
            for (String string : strings) {
                out.writeString(string);
            }
            out.writeEndArray();
        }
    }

    private static void writeIds(JsonGenerator out, String name, List<Integer> ids) throws IOException {
        if (!ids.isEmpty()) {
            out.writeArrayFieldStart(name);
            for (int id : ids) {
                out.writeNumber(id);
            }
            out.writeEndArray();
        }
    }

    private static void writeStream(JsonGenerator out, boolean stream, boolean includeUsage) throws IOException {
        if (stream) {
            out.writeBooleanField("stream", true);
        }
        if (includeUsage) {
            out.writeObjectFieldStart("stream_options");
            out.writeBooleanField("include_usage", true);
            out.writeEndObject();
        }
    }

    private static void writeOptional(JsonGenerator out, String name, @Nullable Object value) throws IOException {
        switch (value) {
            case null -> {}
            case String text -> out.writeStringField(name, text);
            case Integer number -> out.writeNumberField(name, number);
            case Long number -> out.writeNumberField(name, number);
            case Double number -> out.writeNumberField(name, number);
            default -> throw new IllegalArgumentException(name + " is a " + value.getClass());
        }
    }
}
