package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Writes a model folder that the server, and ONNX Runtime GenAI, can run. Static functions; used by one thread.
 *
 * <p>The folder is made beside its place under another name, checked there, and renamed when it is complete: a folder of
 * the wanted name is always a whole model that has passed its check.
 */
final class ModelFolderWriter {
    static final String MODEL_FILE = "model.onnx";

    private ModelFolderWriter() {}

    /**
     * What to write.
     *
     * @param endOfText id of the token that ends a text
     * @param files the other files of the folder by name: the tokenizer's and the card
     */
    record Contents(GptWeights weights, GptGraphOptions options, int endOfText, Map<String, String> files) {}

    /**
     * Writes a folder.
     *
     * @param check is given the complete folder under its temporary name and throws if the model is not good
     * @throws FileAlreadyExistsException if there is something at {@code folder}
     */
    static void write(Path folder, Contents contents, Consumer<Path> check) throws IOException {
        Path target = folder.toAbsolutePath().normalize();
        if (Files.exists(target)) {
            throw new FileAlreadyExistsException(target.toString());
        }
        Path parent = Files.createDirectories(target.getParent());
        Path draft = Files.createTempDirectory(parent, "." + target.getFileName() + "-");
        try {
            writeFiles(draft, contents);
            check.accept(draft);
            Files.setPosixFilePermissions(draft, Files.getPosixFilePermissions(parent));
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            deleteTree(draft);
        }
    }

    private static void writeFiles(Path folder, Contents contents) throws IOException {
        OnnxModelFile.write(
                GptGraph.of(contents.weights(), contents.options()),
                folder.resolve(MODEL_FILE),
                OnnxModelFile.INLINE_LIMIT);
        GptConfig config = contents.weights().config();
        writeJson(folder.resolve("genai_config.json"), genaiConfig(config, contents.endOfText()));
        writeJson(folder.resolve("config.json"), config(config, contents.endOfText()));
        for (Map.Entry<String, String> file : contents.files().entrySet()) {
            Files.writeString(folder.resolve(file.getKey()), file.getValue());
        }
    }

    /** What a runner must know of the graph, in GenAI's layout. */
    private static ObjectNode genaiConfig(GptConfig config, int endOfText) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        ObjectNode model = root.putObject("model");
        model.put("bos_token_id", endOfText);
        model.put("context_length", config.context());
        ObjectNode decoder = model.putObject("decoder");
        decoder.putObject("session_options").putArray("provider_options");
        decoder.put("filename", MODEL_FILE);
        decoder.put("head_size", config.headSize());
        decoder.put("hidden_size", config.width());
        decoder.putObject("inputs")
                .put("input_ids", "input_ids")
                .put("attention_mask", "attention_mask")
                .put("position_ids", "position_ids")
                .put("past_key_names", "past_key_values.%d.key")
                .put("past_value_names", "past_key_values.%d.value");
        decoder.putObject("outputs")
                .put("logits", "logits")
                .put("present_key_names", "present.%d.key")
                .put("present_value_names", "present.%d.value");
        decoder.put("num_attention_heads", config.heads());
        decoder.put("num_hidden_layers", config.layers());
        decoder.put("num_key_value_heads", config.heads());
        model.put("eos_token_id", endOfText);
        model.put("pad_token_id", endOfText);
        // GenAI's "gpt2" is an older graph with keys and values in one tensor; "decoder" is any graph as described
        // here.
        model.put("type", "decoder");
        model.put("vocab_size", config.vocabularySize());
        root.putObject("search")
                .put("do_sample", true)
                .put("max_length", config.context())
                .put("min_length", 0)
                .put("num_beams", 1)
                .put("num_return_sequences", 1)
                .put("past_present_share_buffer", true)
                .put("repetition_penalty", 1.0)
                .put("temperature", 1.0)
                .put("top_k", 0)
                .put("top_p", 1.0);
        return root;
    }

    /** The architecture, in Hugging Face's layout. */
    private static ObjectNode config(GptConfig config, int endOfText) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.putArray("architectures").add("GPT2LMHeadModel");
        return root.put("model_type", "gpt2")
                .put("activation_function", "gelu_new")
                .put("n_layer", config.layers())
                .put("n_head", config.heads())
                .put("n_embd", config.width())
                .put("n_positions", config.context())
                .put("n_ctx", config.context())
                .put("vocab_size", config.vocabularySize())
                .put("layer_norm_epsilon", GptConfig.LAYER_NORM_EPSILON)
                .put("tie_word_embeddings", true)
                .put("bos_token_id", endOfText)
                .put("eos_token_id", endOfText);
    }

    /** {@code tokenizer_config.json} for a byte-level tokenizer with that end-of-text token. */
    static String tokenizerConfig(String endOfText, int context) {
        return new ObjectMapper()
                .createObjectNode()
                .put("tokenizer_class", "GPT2Tokenizer")
                .put("add_prefix_space", false)
                .put("bos_token", endOfText)
                .put("eos_token", endOfText)
                .put("unk_token", endOfText)
                .put("model_max_length", context)
                .toPrettyString();
    }

    private static void writeJson(Path file, ObjectNode json) throws IOException {
        Files.writeString(file, json.toPrettyString() + "\n");
    }

    private static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(folder)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        for (Path path : paths) {
            Files.delete(path);
        }
    }
}
