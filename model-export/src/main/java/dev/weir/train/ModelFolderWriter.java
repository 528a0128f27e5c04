package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.onnx.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * Writes a model folder that the server, and ONNX Runtime GenAI, can run. Static functions; used by one thread.
 *
 * <p>The model is checked before its folder appears under the wanted name, so that what bears it is always a whole model that has passed.
 */
final class ModelFolderWriter {
    static final String MODEL_FILE = "model.onnx";
    private static final String CARD_FILE = "README.md";

    private ModelFolderWriter() {}

    /**
     * Writes a folder in place of what is there, if anything is.
     *
     * @param check is given the complete folder under its temporary name and returns the model's card, or throws if the
     *     model is not good, in which case nothing has changed
     */
    static void write(Path folder, ExportSource source, GptGraphOptions options, Function<Path, String> check)
            throws IOException {
        AtomicFolder.write(folder, draft -> {
            writeFiles(draft, source, options);
            Files.writeString(draft.resolve(CARD_FILE), check.apply(draft));
        });
    }

    private static void writeFiles(Path folder, ExportSource source, GptGraphOptions options) throws IOException {
        GptConfig config = source.weights().config();
        OnnxGraphBuilder graph = graph(source.weights(), options);
        Path modelFile = folder.resolve(MODEL_FILE);
        if (options.embeds()) {
            OnnxModelFile.writeTwins(
                    graph,
                    modelFile,
                    GptGraph.embedding(source.weights(), options),
                    folder.resolve(ModelFolder.EMBEDDINGS_FILE));
        } else {
            OnnxModelFile.write(graph, modelFile, OnnxModelFile.INLINE_LIMIT);
        }
        for (LoraAdapter adapter : options.adapters()) {
            OnnxAdapterFile.write(folder.resolve(adapter.fileName()), adapter.parameters(source.weights()));
        }
        Files.writeString(
                folder.resolve("genai_config.json"),
                genaiConfig(config, options.target(), source.endOfText(), source.sampling())
                                .toPrettyString() + "\n");
        GptConfigFile.write(folder, config, source.weights().head(), source.endOfText());
        for (Map.Entry<String, String> file : source.files().entrySet()) {
            Files.writeString(folder.resolve(file.getKey()), file.getValue());
        }
    }

    private static OnnxGraphBuilder graph(GptWeights weights, GptGraphOptions options) {
        return weights.config().llama() == null ? GptGraph.of(weights, options) : LlamaGraph.of(weights, options);
    }

    /** What a runner must know of the graph, in GenAI's layout. */
    private static ObjectNode genaiConfig(
            GptConfig config, Target target, OptionalInt endOfText, SamplingDefaults sampling) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        ObjectNode model = root.putObject("model");
        model.put("context_length", config.context());
        ObjectNode decoder = model.putObject("decoder");
        ArrayNode providers = decoder.putObject("session_options").putArray("provider_options");
        decoder.put("filename", MODEL_FILE);
        decoder.put("head_size", config.headSize());
        decoder.put("hidden_size", config.width());
        ObjectNode inputs = decoder.putObject("inputs").put("input_ids", "input_ids");
        if (target != Target.CPU) {
            providers.addObject().putObject("cuda");
        }
        switch (target) {
            case CPU, CUDA_SLOTS -> inputs.put("attention_mask", "attention_mask");
            case CUDA -> {
                // What GenAI has no name for is not named here.
                for (String name : PagedAttention.GENAI_INPUTS) {
                    inputs.put(name, name);
                }
                root.putObject("engine").putObject("dynamic_batching").put("block_size", PagedAttention.BLOCK_SIZE);
            }
        }
        if (config.llama() == null) {
            inputs.put("position_ids", "position_ids");
        }
        inputs.put("past_key_names", "past_key_values.%d.key").put("past_value_names", "past_key_values.%d.value");
        decoder.putObject("outputs")
                .put("logits", "logits")
                .put("present_key_names", "present.%d.key")
                .put("present_value_names", "present.%d.value");
        decoder.put("num_attention_heads", config.heads());
        decoder.put("num_hidden_layers", config.layers());
        decoder.put("num_key_value_heads", config.kvHeads());
        endOfText.ifPresent(
                id -> model.put("bos_token_id", id).put("eos_token_id", id).put("pad_token_id", id));
        // GenAI's "gpt2" is an older graph with keys and values in one tensor; "decoder" is any graph as described
        // here.
        model.put("type", "decoder");
        model.put("vocab_size", config.vocabularySize());
        ObjectNode search = root.putObject("search")
                .put("do_sample", true)
                .put("max_length", config.context())
                .put("min_length", 0)
                .put("num_beams", 1)
                .put("num_return_sequences", 1)
                .put("past_present_share_buffer", true)
                .put("repetition_penalty", 1.0)
                .put("temperature", 0.8)
                .put("top_k", 0)
                .put("top_p", 0.95);
        sampling.writeTo(search);
        return root;
    }
}
