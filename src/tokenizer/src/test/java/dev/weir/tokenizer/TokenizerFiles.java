package dev.weir.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Builds small tokenizer files: the 256 bytes (id = byte), then merges, then whatever a test adds. */
final class TokenizerFiles {
    static final String GPT2 = """
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}""";

    /** The shape of Llama 3's splitter: up to three digits at a time, line breaks kept with what precedes them. */
    static final String LLAMA3 = """
            {"type": "Sequence", "pretokenizers": [
              {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"}},
              {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}""";

    private static final ObjectMapper JSON = new ObjectMapper();

    final ObjectNode root = JsonNodeFactory.instance.objectNode();
    final ObjectNode config = JsonNodeFactory.instance.objectNode();
    private int nextId;

    private TokenizerFiles(String preTokenizer, List<String> merges, boolean mergesAsArrays) {
        root.put("version", "1.0");
        root.putArray("added_tokens");
        root.putNull("normalizer");
        set("pre_tokenizer", preTokenizer);
        set("decoder", "{\"type\": \"ByteLevel\"}");
        ObjectNode model = root.putObject("model");
        model.put("type", "BPE");
        model.putNull("dropout");
        model.put("byte_fallback", false);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int value = 0; value < 256; value++) {
            vocabulary.put(String.valueOf(ByteLevel.charOf(value)), nextId++);
        }
        ArrayNode rules = model.putArray("merges");
        for (String merge : merges) {
            String made = merge.replace(" ", "");
            if (!vocabulary.has(made)) {
                vocabulary.put(made, nextId++);
            }
            if (mergesAsArrays) {
                rules.addArray().add(merge.split(" ", 2)[0]).add(merge.split(" ", 2)[1]);
            } else {
                rules.add(merge);
            }
        }
    }

    static TokenizerFiles gpt2(String... merges) {
        return new TokenizerFiles(GPT2, List.of(merges), false);
    }

    static TokenizerFiles llama3(String... merges) {
        return new TokenizerFiles(LLAMA3, List.of(merges), true);
    }

    TokenizerFiles set(String field, String json) {
        root.set(field, read(json));
        return this;
    }

    TokenizerFiles setInModel(String field, String json) {
        ((ObjectNode) root.path("model")).set(field, read(json));
        return this;
    }

    /** Adds an entry to the vocabulary that no merge makes. */
    int word(String token) {
        ((ObjectNode) root.path("model").path("vocab")).put(token, nextId);
        return nextId++;
    }

    int added(String content, boolean special) {
        return added(content, special, "{}");
    }

    int added(String content, boolean special, String flags) {
        ObjectNode token = JsonNodeFactory.instance.objectNode();
        token.put("id", nextId).put("content", content).put("special", special);
        token.put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false);
        token.setAll((ObjectNode) read(flags));
        ((ArrayNode) root.path("added_tokens")).add(token);
        return nextId++;
    }

    TokenizerFiles write(Path folder) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), root.toString());
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toString());
        return this;
    }

    Tokenizer load(Path folder) throws IOException {
        write(folder);
        return Tokenizer.load(folder);
    }

    private static JsonNode read(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(json, e);
        }
    }
}
