package dev.weir.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A trained model on disk: a folder with {@code config.json} and {@code model.safetensors} as Hugging Face's GPTs have them, and
 * the head of a task where it was fine-tuned for one. Memory-mapped, immutable, any thread; needs no libtorch.
 */
final class Checkpoint implements GptWeights {
    static final String WEIGHTS = "model.safetensors";
    /** What Hugging Face's files put before the names of all but the head. */
    private static final String BODY = "transformer.";
    /** The language model's head, which some files repeat although it is the token embedding. */
    private static final String OUTPUT_HEAD = "lm_head.weight";
    /** Causal masks and the like, which older files hold as if they had been learned. */
    private static final Pattern MASK =
            Pattern.compile("(transformer\\.)?(h\\.\\d+\\.attn\\.(bias|masked_bias)|position_ids)");

    private final GptConfig config;
    private final Optional<TaskHead> head;
    private final SafetensorsFile file;
    private final String prefix;

    private Checkpoint(GptConfig config, Optional<TaskHead> head, SafetensorsFile file, String prefix) {
        this.config = config;
        this.head = head;
        this.file = file;
        this.prefix = prefix;
    }

    /**
     * Opens the folder and checks that every weight is there in its shape.
     *
     * @throws IOException if a file cannot be read
     * @throws UserError if the folder holds no GPT, naming the file and what is wrong with it
     */
    static Checkpoint open(Path folder) throws IOException {
        for (String name : new String[] {GptConfigFile.NAME, WEIGHTS}) {
            if (!Files.isRegularFile(folder.resolve(name))) {
                throw new UserError(
                        folder + " has no " + name
                                + ": give a folder that pretrain wrote, such as runs/NAME/best, or a GPT-2 or openai-gpt in Hugging Face's files");
            }
        }
        GptConfig config = GptConfigFile.read(folder);
        SafetensorsFile file = SafetensorsFile.open(folder.resolve(WEIGHTS));
        // Saved from the class with the language-model head, Hugging Face's files name the body "transformer".
        String prefix = file.names().contains(BODY + config.family().tokenEmbedding()) ? BODY : "";
        Optional<TaskHead> head =
                file.names().contains(TaskHead.WEIGHT) ? Optional.of(GptConfigFile.head(folder)) : Optional.empty();
        Checkpoint checkpoint = new Checkpoint(config, head, file, prefix);
        for (Map.Entry<String, long[]> tensor : checkpoint.tensorShapes().entrySet()) {
            String name = checkpoint.stored(tensor.getKey());
            if (!file.names().contains(name)) {
                throw new UserError(folder.resolve(WEIGHTS) + " has no tensor \"" + name + "\", which "
                        + GptConfigFile.NAME + " asks for");
            }
            if (!Arrays.equals(file.shape(name), tensor.getValue())) {
                throw new UserError(folder.resolve(WEIGHTS) + ": \"" + name + "\" has the shape "
                        + Arrays.toString(file.shape(name)) + ", " + GptConfigFile.NAME + " asks for "
                        + Arrays.toString(tensor.getValue()));
            }
        }
        checkpoint.refuseOthers(folder);
        return checkpoint;
    }

    /**
     * Writes a model into a folder, made if need be. What was learned beside its matrices is added to them, and by itself in a
     * folder in that one.
     */
    static void write(Path folder, GptWeights weights, OptionalInt eosId) throws IOException {
        Files.createDirectories(folder);
        GptConfigFile.write(folder, weights.config(), weights.head(), eosId);
        if (weights.lora().isPresent()) {
            AdapterFolder.write(folder.resolve(AdapterFolder.NAME), weights);
        }
        new SafetensorsWriter()
                .addAll(Lora.merged(weights))
                .note("format", "pt")
                .write(folder.resolve(WEIGHTS));
    }

    @Override
    public GptConfig config() {
        return config;
    }

    @Override
    public Optional<TaskHead> head() {
        return head;
    }

    @Override
    public float[] tensor(String name) {
        if (!tensorShapes().containsKey(name)) {
            throw new IllegalArgumentException("this model has no tensor \"" + name + "\"");
        }
        return file.floats(stored(name));
    }

    /** A tensor that is left out would make the model quietly another one. */
    private void refuseOthers(Path folder) {
        Set<String> known = new HashSet<>();
        tensorShapes().keySet().forEach(name -> known.add(stored(name)));
        for (String name : file.names()) {
            if (name.equals(OUTPUT_HEAD)) {
                if (!Arrays.equals(file.floats(name), tensor(config.family().tokenEmbedding()))) {
                    throw new UserError(
                            folder.resolve(WEIGHTS) + ": \"" + OUTPUT_HEAD + "\" differs from the token embedding; "
                                    + "only a head tied to the embedding is supported");
                }
            } else if (!known.contains(name) && !MASK.matcher(name).matches()) {
                throw new UserError(folder.resolve(WEIGHTS) + " has a tensor \"" + name + "\", which no "
                        + config.family().title()
                        + " has: save the language model alone, without other heads or adapters");
            }
        }
    }

    /** What the file calls a tensor. */
    private String stored(String name) {
        return name.equals(GptConfig.OUTPUT_BIAS) || TaskHead.isName(name) ? name : prefix + name;
    }
}
