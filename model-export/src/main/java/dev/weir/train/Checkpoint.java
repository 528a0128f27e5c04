package dev.weir.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A trained model on disk: a folder with {@code config.json} and {@code model.safetensors} as Hugging Face's GPT-2 has them.
 * Memory-mapped, immutable, any thread; needs no libtorch.
 */
final class Checkpoint implements GptWeights {
    static final String WEIGHTS = "model.safetensors";

    private final GptConfig config;
    private final SafetensorsFile file;
    private final String prefix;

    private Checkpoint(GptConfig config, SafetensorsFile file, String prefix) {
        this.config = config;
        this.file = file;
        this.prefix = prefix;
    }

    /**
     * Opens the folder and checks that every weight is there in its shape.
     *
     * @throws IOException if a file cannot be read
     * @throws UserError if the folder holds no GPT-2, naming the file and what is wrong with it
     */
    static Checkpoint open(Path folder) throws IOException {
        for (String name : new String[] {Gpt2ConfigFile.NAME, WEIGHTS}) {
            if (!Files.isRegularFile(folder.resolve(name))) {
                throw new UserError(folder + " has no " + name
                        + ": give a folder that pretrain wrote, such as runs/NAME/best, or a Hugging Face GPT-2");
            }
        }
        GptConfig config = Gpt2ConfigFile.read(folder);
        SafetensorsFile file = SafetensorsFile.open(folder.resolve(WEIGHTS));
        // Saved from the class with the language-model head, Hugging Face's files name the body "transformer".
        String prefix = file.names().contains("transformer.wte.weight") ? "transformer." : "";
        for (Map.Entry<String, long[]> tensor : config.tensorShapes().entrySet()) {
            String name = prefix + tensor.getKey();
            if (!file.names().contains(name)) {
                throw new UserError(folder.resolve(WEIGHTS) + " has no tensor \"" + name + "\", which "
                        + Gpt2ConfigFile.NAME + " asks for");
            }
            if (!Arrays.equals(file.shape(name), tensor.getValue())) {
                throw new UserError(folder.resolve(WEIGHTS) + ": \"" + name + "\" has the shape "
                        + Arrays.toString(file.shape(name)) + ", " + Gpt2ConfigFile.NAME + " asks for "
                        + Arrays.toString(tensor.getValue()));
            }
        }
        return new Checkpoint(config, file, prefix);
    }

    /** Writes a model into a folder, made if need be. */
    static void write(Path folder, GptWeights weights, OptionalInt eosId) throws IOException {
        Files.createDirectories(folder);
        Gpt2ConfigFile.write(folder, weights.config(), eosId);
        new SafetensorsWriter().addAll(weights).note("format", "pt").write(folder.resolve(WEIGHTS));
    }

    @Override
    public GptConfig config() {
        return config;
    }

    @Override
    public float[] tensor(String name) {
        if (!config.tensorShapes().containsKey(name)) {
            throw new IllegalArgumentException("this model has no tensor \"" + name + "\"");
        }
        return file.floats(prefix + name);
    }
}
