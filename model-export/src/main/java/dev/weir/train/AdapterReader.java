package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Reads what {@link AdapterFolder} writes, and LoRA adapters that PEFT saved; what it does not know it refuses, since without it the
 * adapter would quietly be another one. Used by one thread, for one adapter.
 */
final class AdapterReader {
    private static final List<String> TOKENIZER = List.of("tokenizer.json", "tokenizer_config.json");

    private final Path option;
    private final Path configFile;
    private final Path weightsFile;
    private final GptConfig base;
    private final JsonNode config;
    private final SafetensorsFile file;
    private final Map<String, String> stored = new LinkedHashMap<>(); // names without prefixes to those of the file

    private AdapterReader(Path option, Path folder, GptConfig base) throws IOException {
        this.option = option;
        this.base = base;
        configFile = folder.resolve(AdapterFolder.CONFIG);
        weightsFile = folder.resolve(AdapterFolder.WEIGHTS);
        config = json(configFile, Files.readString(configFile));
        file = SafetensorsFile.open(weightsFile);
        for (String name : file.names()) {
            String plain = name.startsWith(AdapterFolder.PREFIX) ? name.substring(AdapterFolder.PREFIX.length()) : name;
            stored.put(
                    plain.startsWith(AdapterFolder.BODY) ? plain.substring(AdapterFolder.BODY.length()) : plain, name);
        }
    }

    /**
     * Reads an adapter: the folder of one that PEFT saved, or the folder of a model that was trained with {@code --lora-rank}.
     *
     * @param base the shape of the model that it is for
     * @throws UserError if there is no adapter, or one that no such model can have
     */
    static LoraAdapter read(Path option, GptConfig base) throws IOException {
        Path folder =
                Files.isRegularFile(option.resolve(AdapterFolder.CONFIG)) ? option : option.resolve(AdapterFolder.NAME);
        for (String name : List.of(AdapterFolder.CONFIG, AdapterFolder.WEIGHTS)) {
            if (!Files.isRegularFile(folder.resolve(name))) {
                throw new UserError("--adapter is " + option + ", which has no " + name
                        + ": give a folder that finetune --lora-rank wrote, such as runs/NAME/best, or a LoRA adapter in "
                        + "the files of Hugging Face's PEFT");
            }
        }
        return new AdapterReader(option, folder, base).read();
    }

    private LoraAdapter read() throws IOException {
        double alpha = positive("lora_alpha");
        double rank = positive("r");
        requireSupported();
        double scale = alpha / (config.path("use_rslora").asBoolean() ? Math.sqrt(rank) : rank);
        SequencedMap<String, LowRank> matrices = matrices(scale);
        int[] tokens = tokens();
        float[] rows = tokens.length == 0 ? new float[0] : rows(tokens);
        Optional<TaskHead> head = head();
        if (matrices.isEmpty()) {
            throw new UserError(weightsFile + " has no tensor \"h.0.attn.c_attn" + AdapterFolder.A
                    + "\" or the like: it is no " + "LoRA adapter of a GPT");
        }
        if (!stored.isEmpty()) {
            throw new UserError(weightsFile + " has a tensor \""
                    + stored.values().iterator().next()
                    + "\", which has no place in a LoRA adapter of a " + base.shape());
        }
        return new LoraAdapter(
                LoraAdapter.name(option),
                (int) rank,
                alpha,
                config.path("base_model_name_or_path").asText(""),
                Optional.ofNullable(file.metadata().get(AdapterFolder.BASE_NOTE)),
                matrices,
                tokens,
                rows,
                head,
                head.isEmpty() ? new float[0] : file.floats(AdapterFolder.PREFIX + TaskHead.WEIGHT),
                head.isEmpty() ? new float[0] : file.floats(AdapterFolder.PREFIX + TaskHead.BIAS),
                tokens.length == 0 ? Map.of() : tokenizer());
    }

    /** What is left out would make it quietly another one. */
    private void requireSupported() {
        if (!config.path("peft_type").asText().equals("LORA")) {
            throw new UserError(
                    configFile + ": peft_type is " + config.path("peft_type") + "; only \"LORA\" is supported");
        }
        for (String field : List.of("use_dora", "lora_bias", "modules_to_save", "rank_pattern", "alpha_pattern")) {
            JsonNode value = config.path(field);
            if (value.asBoolean() || !value.isEmpty()) {
                throw new UserError(configFile + ": " + field + " is " + value
                        + ", which is not supported: train the adapter without it");
            }
        }
        if (!config.path("bias").asText("none").equals("none")) {
            throw new UserError(configFile + ": bias is " + config.path("bias") + "; only \"none\" is supported");
        }
    }

    private double positive(String field) {
        JsonNode value = config.path(field);
        if (!value.isNumber() || !(value.asDouble() > 0)) {
            throw new UserError(configFile + ": " + field + " is "
                    + (value.isMissingNode() ? "missing" : value.toString()) + "; it must be a number above 0");
        }
        return value.asDouble();
    }

    private SequencedMap<String, LowRank> matrices(double scale) {
        SequencedMap<String, LowRank> matrices = new LinkedHashMap<>();
        Lora.matrices(base).forEach((name, shape) -> {
            String a = stored.remove(name + AdapterFolder.A);
            String b = stored.remove(name + AdapterFolder.B);
            if (a == null && b == null) {
                return;
            }
            if (a == null || b == null) {
                throw new UserError(weightsFile + " has only one of \"" + name + AdapterFolder.A + "\" and \"" + name
                        + AdapterFolder.B + "\": save the adapter again");
            }
            long rank = file.shape(a).length == 0 ? 0 : file.shape(a)[0];
            requireShape(a, rank, shape[0]);
            requireShape(b, shape[1], rank);
            int r = Math.toIntExact(rank);
            matrices.put(
                    name,
                    new LowRank(
                            (int) shape[0],
                            (int) shape[1],
                            r,
                            LowRank.transposed(file.floats(a), r, (int) shape[0], 1),
                            LowRank.transposed(file.floats(b), (int) shape[1], r, scale)));
        });
        return matrices;
    }

    private void requireShape(String name, long... expected) {
        if (!Arrays.equals(file.shape(name), expected)) {
            throw new UserError("--adapter is " + option + ", which is for another model: " + weightsFile.getFileName()
                    + " has \"" + name + "\" in the shape " + Arrays.toString(file.shape(name))
                    + ", but --checkpoint asks for " + Arrays.toString(expected));
        }
    }

    private int[] tokens() {
        JsonNode indices = config.path("trainable_token_indices");
        JsonNode ids = indices.isObject()
                ? indices.path(AdapterFolder.stem(base.family().tokenEmbedding()))
                : indices;
        int[] tokens = new int[ids.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = ids.path(i).asInt(-1);
            if (tokens[i] < 0) {
                throw new UserError(configFile + ": trainable_token_indices is " + indices + "; it must be token ids");
            }
        }
        return tokens;
    }

    private float[] rows(int[] tokens) {
        String name = stored.remove(AdapterFolder.stem(base.family().tokenEmbedding()) + AdapterFolder.TOKENS);
        if (name == null) {
            throw new UserError(weightsFile + " has no tensor \""
                    + AdapterFolder.stem(base.family().tokenEmbedding()) + AdapterFolder.TOKENS + "\", which "
                    + AdapterFolder.CONFIG + " asks for");
        }
        requireShape(name, tokens.length, base.width());
        return file.floats(name);
    }

    private Optional<TaskHead> head() {
        String note = file.metadata().get(AdapterFolder.HEAD_NOTE);
        if (note == null) {
            return Optional.empty();
        }
        TaskHead head = TaskHead.read(weightsFile, json(weightsFile, note));
        head.tensorShapes(base.width()).forEach((name, shape) -> {
            if (stored.remove(name) == null) {
                throw new UserError(weightsFile + " has no tensor \"" + name + "\", which its notes ask for");
            }
            requireShape(AdapterFolder.PREFIX + name, shape);
        });
        return Optional.of(head);
    }

    /** The tokenizer that knows the new tokens. */
    private Map<String, String> tokenizer() throws IOException {
        Map<String, String> files = new LinkedHashMap<>();
        for (String name : TOKENIZER) {
            if (Files.isRegularFile(option.resolve(name))) {
                files.put(name, Files.readString(option.resolve(name)));
            }
        }
        if (!files.containsKey(TOKENIZER.getFirst())) {
            throw new UserError("--adapter is " + option + ", which brings new tokens but no " + TOKENIZER.getFirst()
                    + " with them: give the model's folder, such as runs/NAME/best");
        }
        return files;
    }

    private static JsonNode json(Path file, String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new UserError(file + " is no JSON: " + e.getOriginalMessage(), e);
        }
    }
}
