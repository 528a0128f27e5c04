package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON bodies of the small endpoints: models and tokenizer. Any thread. */
public final class Replies {
    private Replies() {}

    /** {@code GET /v1/models}: a list of the one model that is served. */
    public static String models(String id, long createdAt, int maxTokens) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("object", "list");
            out.writeArrayFieldStart("data");
            writeModel(out, id, createdAt, maxTokens);
            out.writeEndArray();
            out.writeEndObject();
        });
    }

    /** {@code GET /v1/models/{id}}; {@code maxTokens} is its context length, as vLLM adds it. */
    public static String model(String id, long createdAt, int maxTokens) {
        return Json.write(out -> writeModel(out, id, createdAt, maxTokens));
    }

    /** {@code POST /tokenize}; {@code texts} are the tokens' texts, null if they were not asked for. */
    public static String tokens(int[] tokens, int maxTokens, @Nullable List<String> texts) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeNumberField("count", tokens.length);
            out.writeNumberField("max_model_len", maxTokens);
            out.writeFieldName("tokens");
            out.writeArray(tokens, 0, tokens.length);
            if (texts == null) {
                out.writeNullField("token_strs");
            } else {
                out.writeArrayFieldStart("token_strs");
                for (String text : texts) {
                    out.writeString(text);
                }
                out.writeEndArray();
            }
            out.writeEndObject();
        });
    }

    /** {@code POST /detokenize}. */
    public static String prompt(String text) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("prompt", text);
            out.writeEndObject();
        });
    }

    /** {@code POST /v1/classify}. */
    public static String classified(String id, long createdAt, String model, List<Classified> texts, int promptTokens) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("id", id);
            out.writeStringField("object", "list");
            out.writeNumberField("created", createdAt);
            out.writeStringField("model", model);
            out.writeArrayFieldStart("data");
            for (int i = 0; i < texts.size(); i++) {
                Classified text = texts.get(i);
                out.writeStartObject();
                out.writeNumberField("index", i);
                out.writeStringField("label", text.label());
                out.writeFieldName("probs");
                writeNumbers(out, text.probs(), false);
                out.writeNumberField("num_classes", text.probs().length);
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeObjectFieldStart("usage");
            out.writeNumberField("prompt_tokens", promptTokens);
            out.writeNumberField("completion_tokens", 0);
            out.writeNumberField("total_tokens", promptTokens);
            out.writeEndObject();
            out.writeEndObject();
        });
    }

    /** {@code POST /v1/embeddings}; {@code isBase64} as in {@link EmbeddingRequest}. */
    public static String embeddings(String model, List<float[]> embeddings, boolean isBase64, int promptTokens) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("object", "list");
            out.writeArrayFieldStart("data");
            for (int i = 0; i < embeddings.size(); i++) {
                out.writeStartObject();
                out.writeStringField("object", "embedding");
                out.writeNumberField("index", i);
                out.writeFieldName("embedding");
                writeNumbers(out, embeddings.get(i), isBase64);
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeStringField("model", model);
            out.writeObjectFieldStart("usage");
            out.writeNumberField("prompt_tokens", promptTokens);
            out.writeNumberField("total_tokens", promptTokens);
            out.writeEndObject();
            out.writeEndObject();
        });
    }

    private static void writeNumbers(JsonGenerator out, float[] numbers, boolean isBase64) throws IOException {
        if (isBase64) {
            ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(numbers);
            out.writeBinary(bytes.array());
            return;
        }
        out.writeStartArray();
        for (float number : numbers) {
            out.writeNumber(number);
        }
        out.writeEndArray();
    }

    /** {@code DELETE /v1/responses/{id}}. */
    public static String deletedResponse(String id) {
        return deleted(id, "response");
    }

    /** {@code DELETE /v1/conversations/{id}}. */
    public static String deletedConversation(String id) {
        return deleted(id, "conversation.deleted");
    }

    private static String deleted(String id, String object) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("id", id);
            out.writeStringField("object", object);
            out.writeBooleanField("deleted", true);
            out.writeEndObject();
        });
    }

    /** A part of a response's input or of a conversation. */
    public static String items(ItemPage page) {
        List<ConversationItem> items = page.items();
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("object", "list");
            out.writeArrayFieldStart("data");
            for (ConversationItem item : items) {
                ItemJson.write(out, item);
            }
            out.writeEndArray();
            // OpenAI's API has texts here, never null.
            out.writeStringField(
                    "first_id", items.isEmpty() ? "" : items.getFirst().id());
            out.writeStringField(
                    "last_id", items.isEmpty() ? "" : items.getLast().id());
            out.writeBooleanField("has_more", page.hasMore());
            out.writeEndObject();
        });
    }

    private static void writeModel(JsonGenerator out, String id, long createdAt, int maxTokens) throws IOException {
        out.writeStartObject();
        out.writeStringField("id", id);
        out.writeStringField("object", "model");
        out.writeNumberField("created", createdAt);
        out.writeStringField("owned_by", "weir");
        out.writeNumberField("max_model_len", maxTokens);
        out.writeEndObject();
    }
}
