package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Log-probabilities in the shapes of the three APIs. Any thread. */
final class LogprobJson {
    /** What the OpenAI API says for a probability of nothing, as JSON has no infinity. */
    private static final double LEAST = -9999;

    private LogprobJson() {}

    /** A list of tokens with their alternatives, as chat completions and responses have it. */
    static void writeTokens(JsonGenerator out, List<TokenLogprob> tokens, boolean withBytes) throws IOException {
        out.writeStartArray();
        for (TokenLogprob token : tokens) {
            out.writeStartObject();
            writeToken(out, token, withBytes);
            out.writeArrayFieldStart("top_logprobs");
            for (TokenLogprob top : token.top()) {
                out.writeStartObject();
                writeToken(out, top, withBytes);
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    /** The {@code logprobs} of a choice. */
    static void writeChoice(JsonGenerator out, ChunkWriter.Kind kind, List<TokenLogprob> tokens) throws IOException {
        if (tokens.isEmpty()) {
            out.writeNull();
            return;
        }
        out.writeStartObject();
        if (kind == ChunkWriter.Kind.CHAT) {
            out.writeFieldName("content");
            writeTokens(out, tokens, true);
            out.writeNullField("refusal");
        } else {
            writeColumns(out, tokens);
        }
        out.writeEndObject();
    }

    /** One list for each property of the tokens; the alternatives are maps, with the chosen token among them. */
    private static void writeColumns(JsonGenerator out, List<TokenLogprob> tokens) throws IOException {
        out.writeArrayFieldStart("tokens");
        for (TokenLogprob token : tokens) {
            out.writeString(token.token());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("token_logprobs");
        for (TokenLogprob token : tokens) {
            out.writeNumber(shown(token.logprob()));
        }
        out.writeEndArray();
        out.writeArrayFieldStart("top_logprobs");
        for (TokenLogprob token : tokens) {
            Map<String, Double> byText = new LinkedHashMap<>();
            token.top().forEach(top -> byText.putIfAbsent(top.token(), shown(top.logprob())));
            byText.putIfAbsent(token.token(), shown(token.logprob()));
            out.writeStartObject();
            for (Map.Entry<String, Double> entry : byText.entrySet()) {
                out.writeNumberField(entry.getKey(), entry.getValue());
            }
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeArrayFieldStart("text_offset");
        for (TokenLogprob token : tokens) {
            out.writeNumber(token.textOffset());
        }
        out.writeEndArray();
    }

    private static void writeToken(JsonGenerator out, TokenLogprob token, boolean withBytes) throws IOException {
        out.writeStringField("token", token.token());
        out.writeNumberField("logprob", shown(token.logprob()));
        if (withBytes) {
            out.writeArrayFieldStart("bytes");
            for (int value : token.bytes()) {
                out.writeNumber(value);
            }
            out.writeEndArray();
        }
    }

    private static double shown(double logprob) {
        return Math.max(logprob, LEAST);
    }

    /** Reads what {@link #writeTokens} wrote; a missing list is an empty one. */
    static List<TokenLogprob> readTokens(JsonNode array) {
        List<TokenLogprob> tokens = new ArrayList<>(array.size());
        for (JsonNode token : array) {
            List<Integer> bytes = new ArrayList<>();
            token.path("bytes").forEach(value -> bytes.add(value.asInt()));
            tokens.add(new TokenLogprob(
                    token.path("token").asText(),
                    token.path("logprob").asDouble(),
                    bytes,
                    0,
                    readTokens(token.path("top_logprobs"))));
        }
        return tokens;
    }
}
