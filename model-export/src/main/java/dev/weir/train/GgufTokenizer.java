package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A {@code tokenizer.json} as GGUF metadata: tokens, their kinds and merges. Static functions; any thread.
 *
 * <p>llama.cpp knows ways to cut text into words by name alone. A tokenizer that cuts otherwise than GPT-2 is refused, since
 * it would find other tokens there than those that the model was trained on.
 */
final class GgufTokenizer {
    private static final int NORMAL = 1;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;

    private GgufTokenizer() {}

    /**
     * Adds the tokenizer to a file.
     *
     * @param vocabularySize tokens of the model; ids that the tokenizer lacks become unused tokens
     * @throws UserError if llama.cpp would tokenize otherwise, naming the field
     */
    static void add(GgufWriter file, String json, int vocabularySize) {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw new UserError("tokenizer.json is not valid JSON: " + e.getOriginalMessage(), e);
        }
        JsonNode model = root.path("model");
        refuse("normalizer", root.path("normalizer"), isSet(root.path("normalizer")));
        refuse(
                "model.ignore_merges",
                model.path("ignore_merges"),
                model.path("ignore_merges").asBoolean());
        JsonNode cut = root.path("pre_tokenizer");
        boolean isGpt2 = cut.path("type").asText().equals("ByteLevel")
                && cut.path("use_regex").asBoolean(true)
                && !cut.path("add_prefix_space").asBoolean();
        refuse("pre_tokenizer", cut, !isGpt2);
        JsonNode post = root.path("post_processor");
        refuse(
                "post_processor",
                post,
                isSet(post) && !post.path("type").asText().equals("ByteLevel"));

        String[] tokens = IntStream.range(0, vocabularySize)
                .mapToObj(id -> "[PAD" + id + "]")
                .toArray(String[]::new);
        int[] kinds = new int[vocabularySize];
        Arrays.fill(kinds, UNUSED);
        model.path("vocab").properties().forEach(entry -> {
            tokens[entry.getValue().asInt()] = entry.getKey();
            kinds[entry.getValue().asInt()] = NORMAL;
        });
        for (JsonNode added : root.path("added_tokens")) {
            tokens[added.path("id").asInt()] = added.path("content").asText();
            kinds[added.path("id").asInt()] = added.path("special").asBoolean() ? CONTROL : USER_DEFINED;
        }
        List<String> merges = new ArrayList<>();
        for (JsonNode merge : model.path("merges")) {
            merges.add(
                    merge.isArray()
                            ? merge.path(0).asText() + " " + merge.path(1).asText()
                            : merge.asText());
        }
        file.text("tokenizer.ggml.model", "gpt2")
                .text("tokenizer.ggml.pre", "gpt-2")
                .texts("tokenizer.ggml.tokens", List.of(tokens))
                .numbers("tokenizer.ggml.token_type", kinds)
                .texts("tokenizer.ggml.merges", merges)
                .flag("tokenizer.ggml.add_bos_token", false);
    }

    private static boolean isSet(JsonNode node) {
        return !node.isMissingNode() && !node.isNull();
    }

    private static void refuse(String field, JsonNode value, boolean isOther) {
        if (isOther) {
            throw new UserError("--format is gguf, but the tokenizer's " + field + " is " + value
                    + ", which llama.cpp has no name for: export a model whose tokenizer cuts words as GPT-2's does "
                    + "(pretrain --words gpt2), or choose --format onnx");
        }
    }
}
