package dev.weir.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that a run needs to go on as if it had never stopped, in one file, so that it can never be half of one step and
 * half of another. There is no state of any random generator in it: all randomness comes from the seed and the step's number.
 */
final class TrainingState {
    static final String NAME = "training-state.safetensors";

    private static final String FORMAT = "weir-training-state-1";
    private static final String SETTING = "setting.";

    private TrainingState() {}

    /**
     * Where a run stood.
     *
     * @param step steps done
     * @param bestLoss lowest validation loss so far, in nats per token; infinite before the first look
     * @param bestStep the step that had it
     * @param seconds time spent training so far
     */
    record Progress(int step, double bestLoss, int bestStep, double seconds) {
        static final Progress START = new Progress(0, Double.POSITIVE_INFINITY, 0, 0);
    }

    static void save(
            Path folder,
            GptParameters parameters,
            AdamW optimizer,
            PretrainConfig config,
            String dataSha256,
            Progress progress)
            throws IOException {
        Files.createDirectories(folder);
        long[] flat = {optimizer.mean().numel()};
        SafetensorsWriter writer = new SafetensorsWriter()
                .addAll(parameters)
                .add("optimizer.mean", flat, () -> Torch.read(optimizer.mean()))
                .add("optimizer.variance", flat, () -> Torch.read(optimizer.variance()))
                .note("format", FORMAT)
                .note("data-sha256", dataSha256)
                .note("step", String.valueOf(progress.step))
                .note("best-loss", String.valueOf(progress.bestLoss))
                .note("best-step", String.valueOf(progress.bestStep))
                .note("seconds", String.valueOf(progress.seconds));
        config.describe().forEach((name, value) -> writer.note(SETTING + name, value));
        writer.write(folder.resolve(NAME));
    }

    /**
     * A run to resume.
     *
     * @param file weights by name and the moments
     */
    record Saved(SafetensorsFile file, Progress progress, Map<String, String> settings) {
        /** The weights as of the saved step. */
        GptWeights weights(PretrainConfig config) {
            return GptWeights.of(config.model(), Optional.empty(), Optional.ofNullable(config.lora()), file::floats);
        }

        void restore(AdamW optimizer) {
            optimizer.restore(progress.step, file.floats("optimizer.mean"), file.floats("optimizer.variance"));
        }
    }

    /**
     * Reads the state of a run.
     *
     * @param dataSha256 every digest that its data may have
     * @throws UserError if there is none, or it was trained on other data
     */
    static Saved load(Path folder, String... dataSha256) throws IOException {
        Path path = folder.resolve(NAME);
        if (!Files.isRegularFile(path)) {
            throw new UserError("--resume finds no " + path + ": start the run without --resume");
        }
        SafetensorsFile file = SafetensorsFile.open(path);
        Map<String, String> notes = file.metadata();
        if (!FORMAT.equals(notes.get("format"))) {
            throw new UserError(path + " has the format \"" + notes.get("format") + "\", this version reads \"" + FORMAT
                    + "\": resume with the version that wrote it, or start a new run with another --out");
        }
        if (!List.of(dataSha256).contains(notes.getOrDefault("data-sha256", ""))) {
            throw new UserError(
                    "the data, with its weights, --text-key or --chat-template, and --held-out, is not what the run to resume was "
                            + "trained on: give what best/README.md has, or start a new run with another --out");
        }
        Map<String, String> settings = new HashMap<>();
        notes.forEach((key, value) -> {
            if (key.startsWith(SETTING)) {
                settings.put(key.substring(SETTING.length()), value);
            }
        });
        try {
            Progress progress = new Progress(
                    Integer.parseInt(notes.getOrDefault("step", "")),
                    Double.parseDouble(notes.getOrDefault("best-loss", "")),
                    Integer.parseInt(notes.getOrDefault("best-step", "")),
                    Double.parseDouble(notes.getOrDefault("seconds", "")));
            return new Saved(file, progress, settings);
        } catch (NumberFormatException e) {
            throw new UserError(path + " is damaged: its notes hold no step", e);
        }
    }
}
