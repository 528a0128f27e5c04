package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/** A model folder's {@code config.json} in the form that Hugging Face's GPT-2 has. Static functions; any thread. */
final class Gpt2ConfigFile {
    static final String NAME = "config.json";

    private Gpt2ConfigFile() {}

    /** Writes the file, with the end-of-text id where there is one. */
    static void write(Path folder, GptConfig config, OptionalInt eosId) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = mapper.createObjectNode();
        root.put("model_type", "gpt2");
        root.putArray("architectures").add("GPT2LMHeadModel");
        root.put("n_layer", config.layers());
        root.put("n_head", config.heads());
        root.put("n_embd", config.width());
        root.put("n_positions", config.context());
        root.put("n_ctx", config.context());
        root.put("vocab_size", config.vocabularySize());
        root.put("activation_function", "gelu_new");
        root.put("layer_norm_epsilon", GptConfig.LAYER_NORM_EPSILON);
        root.put("embd_pdrop", config.dropout());
        root.put("resid_pdrop", config.dropout());
        root.put("attn_pdrop", 0.0);
        root.put("initializer_range", 0.02);
        root.put("tie_word_embeddings", true);
        root.put("torch_dtype", "float32");
        eosId.ifPresent(id -> root.put("bos_token_id", id).put("eos_token_id", id));
        Files.write(
                folder.resolve(NAME), mapper.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
    }

    /**
     * Reads the file.
     *
     * @throws IOException if it is missing or cannot be read
     * @throws UserError if it describes anything but a plain GPT-2, naming the field
     */
    static GptConfig read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new UserError(file + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
        require(file, root, "model_type", "gpt2");
        require(file, root, "activation_function", "gelu_new");
        double epsilon = root.path("layer_norm_epsilon").asDouble(GptConfig.LAYER_NORM_EPSILON);
        if (epsilon != GptConfig.LAYER_NORM_EPSILON) {
            throw new UserError(file + ": layer_norm_epsilon is " + epsilon + "; only 1e-5 is supported");
        }
        int width = positive(file, root, "n_embd");
        JsonNode inner = root.path("n_inner");
        if (inner.isNumber() && inner.asInt() != 4 * width) {
            throw new UserError(file + ": n_inner is " + inner + "; only 4 * n_embd is supported");
        }
        for (String field : new String[] {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}) {
            if (root.path(field).asBoolean(false)) {
                throw new UserError(file + ": " + field + " is true, which is not supported");
            }
        }
        try {
            return new GptConfig(
                    positive(file, root, "n_layer"),
                    positive(file, root, "n_head"),
                    width,
                    positive(file, root, "n_positions"),
                    positive(file, root, "vocab_size"),
                    root.path("resid_pdrop").asDouble(0.0));
        } catch (IllegalArgumentException e) {
            throw new UserError(file + ": " + e.getMessage(), e);
        }
    }

    private static void require(Path file, JsonNode root, String field, String only) {
        String value = root.path(field).asText(only);
        if (!value.equals(only)) {
            throw new UserError(file + ": " + field + " is \"" + value + "\"; only \"" + only + "\" is supported");
        }
    }

    private static int positive(Path file, JsonNode root, String field) {
        JsonNode value = root.path(field);
        if (!value.canConvertToInt() || value.asInt() < 1) {
            throw new UserError(file + ": " + field + " is " + (value.isMissingNode() ? "missing" : value.toString())
                    + "; it must be a number of at least 1");
        }
        return value.asInt();
    }
}
