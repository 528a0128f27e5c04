package dev.weir.onnx;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A folder with a model as ONNX Runtime GenAI lays it out: {@code genai_config.json} and the ONNX file that it names, with
 * the tokenizer's files beside them. Immutable; any thread.
 *
 * @param path the folder
 * @param name what requests call the model: the folder's own name
 * @param modelFile the ONNX file
 * @param contextLength tokens of prompt and answer together that the model was made for
 * @param vocabularySize scores per token
 * @param eosTokenIds tokens that end a text, possibly none
 * @param layers transformer blocks
 * @param kvHeads heads of keys and values in each layer
 * @param headSize elements of one head of one token
 * @param names what the graph calls its inputs and outputs
 * @param search how tokens are chosen when a request does not say
 * @param blockSize tokens of a block of the cache, where the graph has paged attention, which is for CUDA; 0 where each
 *     sequence has a slot
 */
@SuppressWarnings("ArrayRecordComponent") // one or two ids, never compared
public record ModelFolder(
        Path path,
        String name,
        Path modelFile,
        int contextLength,
        int vocabularySize,
        int[] eosTokenIds,
        int layers,
        int kvHeads,
        int headSize,
        GraphNames names,
        SearchDefaults search,
        int blockSize) {
    public static final String CONFIG_FILE = "genai_config.json";

    /** A second graph of the same weights, which some folders have, for {@link HeadRunner}. */
    public static final String EMBEDDINGS_FILE = "embeddings.onnx";

    /** What that says: the mean of what the model's last norm gives of the tokens, {@code float [batch, 1, width]}. */
    public static final String EMBEDDINGS_OUTPUT = "sentence_embedding";

    /**
     * The input that says which tokens logits come out for, {@code int32 [n]}. The name is vLLM's. On the CPU they are those of each
     * row, counted from the first or, if below zero, from behind the last, and it need not be given: then it is the last one.
     */
    public static final String LOGITS_INDICES = "logits_indices";

    /** GenAI's. */
    private static final int DEFAULT_BLOCK_SIZE = 256;

    /**
     * The names of a graph's inputs and outputs. Those of the cache are patterns with {@code %d} for the layer.
     *
     * @param inputIds {@code int64 [batch, tokens]}
     * @param attentionMask {@code int64 [batch, total]}, ones where a row has a token
     * @param positionIds {@code int64 [batch, tokens]}
     */
    public record GraphNames(
            String inputIds,
            String attentionMask,
            String positionIds,
            String pastKey,
            String pastValue,
            String logits,
            String presentKey,
            String presentValue) {}

    /**
     * Reads and checks a folder; the ONNX file itself is read when a runner opens it.
     *
     * @throws ModelLoadException naming the file and the field that is missing or wrong
     */
    public static ModelFolder open(Path folder) {
        Path absolute = folder.toAbsolutePath().normalize();
        if (!Files.isDirectory(absolute)) {
            throw new ModelLoadException("there is no model folder " + absolute);
        }
        Path file = absolute.resolve(CONFIG_FILE);
        if (!Files.isRegularFile(file)) {
            throw new ModelLoadException("the model folder " + absolute + " has no " + CONFIG_FILE
                    + ": choose a folder that `weir export` or ONNX Runtime GenAI's model builder wrote");
        }
        ConfigFile config = new ConfigFile(file, read(file));
        String onnx = config.text("model.decoder.filename");
        Path modelFile = absolute.resolve(onnx);
        if (!Files.isRegularFile(modelFile)) {
            throw new ModelLoadException(
                    file + ": model.decoder.filename is \"" + onnx + "\", but there is no such file in the folder");
        }
        int contextLength = config.positive("model.context_length");
        int heads = config.positive("model.decoder.num_attention_heads");
        return new ModelFolder(
                absolute,
                String.valueOf(absolute.getFileName()),
                modelFile,
                contextLength,
                config.positive("model.vocab_size"),
                config.ids("model.eos_token_id"),
                config.positive("model.decoder.num_hidden_layers"),
                config.positive("model.decoder.num_key_value_heads", heads),
                config.positive("model.decoder.head_size"),
                new GraphNames(
                        config.text("model.decoder.inputs.input_ids", "input_ids"),
                        config.text("model.decoder.inputs.attention_mask", "attention_mask"),
                        config.text("model.decoder.inputs.position_ids", "position_ids"),
                        config.text("model.decoder.inputs.past_key_names", "past_key_values.%d.key"),
                        config.text("model.decoder.inputs.past_value_names", "past_key_values.%d.value"),
                        config.text("model.decoder.outputs.logits", "logits"),
                        config.text("model.decoder.outputs.present_key_names", "present.%d.key"),
                        config.text("model.decoder.outputs.present_value_names", "present.%d.value")),
                new SearchDefaults(
                        config.flag("search.do_sample", false),
                        config.number("search.temperature", 1),
                        (int) config.number("search.top_k", 0),
                        config.number("search.top_p", 1)),
                config.at("engine.dynamic_batching").isMissingNode()
                        ? 0
                        : config.positive("engine.dynamic_batching.block_size", DEFAULT_BLOCK_SIZE));
    }

    /** The same folder with its graph for embeddings; empty if it has none. */
    public Optional<ModelFolder> embeddings() {
        Path file = path.resolve(EMBEDDINGS_FILE);
        return Files.isRegularFile(file)
                ? Optional.of(new ModelFolder(
                        path,
                        name,
                        file,
                        contextLength,
                        vocabularySize,
                        eosTokenIds,
                        layers,
                        kvHeads,
                        headSize,
                        names,
                        search,
                        blockSize))
                : Optional.empty();
    }

    private static JsonNode read(Path file) {
        try {
            return new ObjectMapper().readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new ModelLoadException(file + " is not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new ModelLoadException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** Fields of a JSON file by their dotted path, with errors that name both. */
    private record ConfigFile(Path file, JsonNode root) {
        JsonNode at(String field) {
            return root.at("/" + field.replace('.', '/'));
        }

        String text(String field) {
            JsonNode node = at(field);
            if (!node.isTextual() || node.asText().isBlank()) {
                throw wrong(field, "a text");
            }
            return node.asText();
        }

        String text(String field, String otherwise) {
            return at(field).isMissingNode() ? otherwise : text(field);
        }

        int positive(String field) {
            JsonNode node = at(field);
            if (!node.canConvertToInt() || !node.isIntegralNumber() || node.asInt() < 1) {
                throw wrong(field, "a positive integer");
            }
            return node.asInt();
        }

        int positive(String field, int otherwise) {
            return at(field).isMissingNode() ? otherwise : positive(field);
        }

        double number(String field, double otherwise) {
            JsonNode node = at(field);
            if (node.isMissingNode() || node.isNull()) {
                return otherwise;
            }
            if (!node.isNumber()) {
                throw wrong(field, "a number");
            }
            return node.asDouble();
        }

        boolean flag(String field, boolean otherwise) {
            JsonNode node = at(field);
            if (node.isMissingNode() || node.isNull()) {
                return otherwise;
            }
            if (!node.isBoolean()) {
                throw wrong(field, "true or false");
            }
            return node.asBoolean();
        }

        /** A token id or a list of them; absent is none. */
        int[] ids(String field) {
            JsonNode node = at(field);
            if (node.isMissingNode() || node.isNull()) {
                return new int[0];
            }
            int[] ids = new int[node.isArray() ? node.size() : 1];
            for (int i = 0; i < ids.length; i++) {
                JsonNode id = node.isArray() ? node.get(i) : node;
                if (!id.isIntegralNumber() || !id.canConvertToInt() || id.asInt() < 0) {
                    throw wrong(field, "a token id or a list of token ids");
                }
                ids[i] = id.asInt();
            }
            return ids;
        }

        private ModelLoadException wrong(String field, String expected) {
            JsonNode node = at(field);
            String found = node.isMissingNode() ? "missing" : node.toString();
            return new ModelLoadException(file + ": " + field + " is " + found + " but must be " + expected);
        }
    }
}
