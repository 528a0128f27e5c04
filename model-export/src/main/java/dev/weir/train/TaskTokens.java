package dev.weir.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.onnx.FolderTask;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The tokens that make a task's texts into a sequence (Radford et al., 2018): it begins with start, delimiter stands between two
 * texts, and what is to be said is read at extract, its last token. Special tokens of the tokenizer, which no text can spell.
 * Immutable; any thread.
 */
record TaskTokens(int start, int delimiter, int extract) {
    private static final String TOKENIZER = "tokenizer.json";
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    private static final List<String> NAMES = List.of(FolderTask.START, "<|delimiter|>", FolderTask.EXTRACT);

    /**
     * Those of a fine-tuned model's tokenizer.
     *
     * @throws UserError if the tokenizer has them not
     */
    static TaskTokens of(Tokenizer tokenizer) {
        int[] ids = new int[NAMES.size()];
        for (int i = 0; i < ids.length; i++) {
            OptionalInt id = tokenizer.id(NAMES.get(i));
            if (id.isEmpty()) {
                throw new UserError("the tokenizer has no token " + NAMES.get(i)
                        + ", which a fine-tuned model's has: take it from the folder that finetune wrote");
            }
            ids[i] = id.getAsInt();
        }
        return new TaskTokens(ids[0], ids[1], ids[2]);
    }

    /** How many of them a tokenizer lacks. */
    static int missing(Tokenizer tokenizer) {
        return (int) NAMES.stream().filter(name -> tokenizer.id(name).isEmpty()).count();
    }

    /**
     * The tokenizer's files of a folder with these tokens added after its own, where it lacks them.
     */
    static Map<String, String> addTo(Path folder) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(folder);
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = (ObjectNode) mapper.readTree(Files.readString(folder.resolve(TOKENIZER)));
        Path configFile = folder.resolve(TOKENIZER_CONFIG);
        JsonNode config =
                Files.isRegularFile(configFile) ? mapper.readTree(Files.readString(configFile)) : mapper.nullNode();
        int next = tokenizer.vocabularySize();
        for (String name : NAMES) {
            if (tokenizer.id(name).isEmpty()) {
                ArrayNode added = root.withArrayProperty("added_tokens");
                added.addObject().put("id", next).setAll(token(mapper, name));
                // Hugging Face's libraries repeat the added tokens there in newer files.
                if (config.path("added_tokens_decoder") instanceof ObjectNode decoder) {
                    decoder.set(String.valueOf(next), token(mapper, name));
                }
                next++;
            }
        }
        Map<String, String> files = new LinkedHashMap<>();
        files.put(TOKENIZER, root.toPrettyString() + "\n");
        if (!config.isNull()) {
            files.put(TOKENIZER_CONFIG, config.toPrettyString() + "\n");
        }
        return files;
    }

    private static ObjectNode token(ObjectMapper mapper, String content) {
        return mapper.createObjectNode()
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
    }
}
