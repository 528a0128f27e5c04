package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A model folder's {@code config.json}. Static functions; any thread.
 *
 * <p>A GPT-1 or GPT-2 has the form of Hugging Face's {@code openai-gpt} or {@code gpt2}. What those do not compute, banded
 * layers and an output bias, has a {@code model_type} of its own, such as {@code weir-gpt3}, so that Hugging Face's libraries
 * refuse the model instead of computing something else.
 */
final class GptConfigFile {
    static final String NAME = "config.json";

    private static final String OWN = "weir-";

    private GptConfigFile() {}

    /** Writes the file of a language model, with the end-of-text id where there is one. */
    static void write(Path folder, GptConfig config, OptionalInt eosId) throws IOException {
        write(folder, config, Optional.empty(), eosId);
    }

    /** Writes the file, with the head of a fine-tuned model and the end-of-text id where there are any. */
    static void write(Path folder, GptConfig config, Optional<TaskHead> head, OptionalInt eosId) throws IOException {
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("model_type", modelType(config));
        if (config.llama() == null) {
            putGpt(root, config);
        } else {
            putLlama(root, config, config.llama());
        }
        head.ifPresent(tuned -> tuned.writeTo(root));
        eosId.ifPresent(id -> root.put("bos_token_id", id).put("eos_token_id", id));
        AtomicFile.writeString(folder.resolve(NAME), root.toPrettyString());
    }

    private static void putLlama(ObjectNode root, GptConfig config, LlamaShape llama) {
        root.putArray("architectures").add("LlamaForCausalLM");
        root.put("num_hidden_layers", config.layers());
        root.put("num_attention_heads", config.heads());
        root.put("num_key_value_heads", llama.kvHeads());
        root.put("head_dim", config.headSize());
        root.put("hidden_size", config.width());
        root.put("intermediate_size", llama.hidden());
        root.put("max_position_embeddings", config.context());
        root.put("vocab_size", config.vocabularySize());
        root.put("hidden_act", "silu");
        root.put("rms_norm_eps", GptConfig.LAYER_NORM_EPSILON);
        RotaryPositions rotary = llama.rotary();
        root.put("rope_theta", rotary.theta());
        root.putObject("rope_scaling")
                .put("rope_type", "llama3")
                .put("factor", rotary.factor())
                .put("low_freq_factor", rotary.lowFrequency())
                .put("high_freq_factor", rotary.highFrequency())
                .put("original_max_position_embeddings", rotary.originalContext());
        root.put("attention_bias", false);
        root.put("mlp_bias", false);
        root.put("initializer_range", 0.02);
        root.put("tie_word_embeddings", true);
        root.put("torch_dtype", "float32");
    }

    private static void putGpt(ObjectNode root, GptConfig config) {
        switch (modelType(config)) {
            case "gpt2" -> root.putArray("architectures").add("GPT2LMHeadModel");
            case "openai-gpt" -> root.putArray("architectures").add("OpenAIGPTLMHeadModel");
            default -> {
                // no class of Hugging Face's
            }
        }
        root.put("n_layer", config.layers());
        root.put("n_head", config.heads());
        root.put("n_embd", config.width());
        root.put("n_positions", config.context());
        root.put("n_ctx", config.context());
        root.put("vocab_size", config.vocabularySize());
        if (config.family() == Family.GPT1) {
            root.put("afn", "gelu"); // which is the tanh form there
        } else {
            root.put("activation_function", "gelu_new");
        }
        root.put("layer_norm_epsilon", GptConfig.LAYER_NORM_EPSILON);
        root.put("embd_pdrop", config.dropout());
        root.put("resid_pdrop", config.dropout());
        root.put("attn_pdrop", config.dropout());
        root.put("initializer_range", 0.02);
        root.put("tie_word_embeddings", true);
        root.put("torch_dtype", "float32");
        if (config.window() > 0) {
            root.put("attention_window", config.window());
        }
        if (config.outputBias()) {
            root.put("output_bias", true);
        }
        if (config.direction() == Direction.RTL) {
            root.put("direction", config.direction().label());
        }
    }

    /**
     * Reads the file.
     *
     * @throws IOException if it is missing or cannot be read
     * @throws UserError if it describes anything but a plain GPT, naming the field
     */
    static GptConfig read(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        JsonNode root = parse(file);
        Family family = family(file, root);
        if (family == Family.GPT1) {
            require(file, root, "afn", "gelu");
        } else {
            require(file, root, "activation_function", "gelu_new");
        }
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
        if (!root.path("tie_word_embeddings").asBoolean(true)) {
            throw new UserError(
                    file + ": tie_word_embeddings is false; only a head tied to the embedding is supported");
        }
        try {
            return new GptConfig(
                    family,
                    positive(file, root, "n_layer"),
                    positive(file, root, "n_head"),
                    width,
                    positive(file, root, "n_positions"),
                    positive(file, root, "vocab_size"),
                    root.path("resid_pdrop").asDouble(0.0),
                    root.has("attention_window") ? positive(file, root, "attention_window") : 0,
                    root.path("output_bias").asBoolean(false),
                    direction(file, root));
        } catch (IllegalArgumentException e) {
            throw new UserError(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * The head of a fine-tuned model.
     *
     * @throws UserError if the file describes none, naming the field
     */
    static TaskHead head(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        return TaskHead.read(file, parse(file));
    }

    /** The head of a fine-tuned model's export; empty if its file, which a foreign model may lack, tells of none. */
    static Optional<TaskHead> exportedHead(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        boolean isTuned = Files.isRegularFile(file) && TaskHead.isDescribedIn(parse(file));
        return isTuned ? Optional.of(head(folder)) : Optional.empty();
    }

    /** The id of the token that ends a text, if the file names one that the model has. */
    static OptionalInt endOfText(Path folder, GptConfig config) throws IOException {
        JsonNode id = parse(folder.resolve(NAME)).path("eos_token_id");
        boolean isToken = id.canConvertToInt() && id.asInt() >= 0 && id.asInt() < config.vocabularySize();
        return isToken ? OptionalInt.of(id.asInt()) : OptionalInt.empty();
    }

    private static JsonNode parse(Path file) throws IOException {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new UserError(file + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** What Hugging Face calls the architecture, or the project's own name where it has none. */
    static String modelType(GptConfig config) {
        if (config.family() == Family.GPT3 || config.outputBias()) {
            return OWN + config.family().label();
        }
        return switch (config.family()) {
            case GPT1 -> "openai-gpt";
            case GPT2, GPT3 -> "gpt2";
            case LLAMA -> "llama";
        };
    }

    /** Whether Hugging Face's libraries do not know such models. */
    static boolean isOwn(GptConfig config) {
        return modelType(config).startsWith(OWN);
    }

    private static Family family(Path file, JsonNode root) {
        String type = root.path("model_type").asText("gpt2");
        return switch (type) {
            case "openai-gpt", OWN + "gpt1" -> Family.GPT1;
            case "gpt2", OWN + "gpt2" -> Family.GPT2;
            case OWN + "gpt3" -> Family.GPT3;
            default ->
                throw new UserError(file + ": model_type is \"" + type
                        + "\"; only gpt2, openai-gpt and Weir's own weir-gpt1, weir-gpt2 and weir-gpt3 are supported");
        };
    }

    /** Which way the model of a folder reads, whoever wrote it. */
    static Direction direction(Path folder) throws IOException {
        Path file = folder.resolve(NAME);
        return Files.isRegularFile(file) ? direction(file, parse(file)) : Direction.LTR;
    }

    private static Direction direction(Path file, JsonNode root) {
        String label = root.path("direction").asText(Direction.LTR.label());
        for (Direction direction : Direction.values()) {
            if (direction.label().equals(label)) {
                return direction;
            }
        }
        throw new UserError(file + ": direction is \"" + label + "\"; it must be ltr or rtl");
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
