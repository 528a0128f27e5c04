package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Exports of a model for the CPU that are gone once somebody has looked at them: to find the scales of its cache, and to see what it
 * loses by how it is stored. Owned by one thread.
 *
 * @param model what is exported
 * @param out beside which the exports lie meanwhile
 * @param plain the options of all of them but for how the model is stored
 * @param adapters that go with the model
 * @param seed of the text that the model writes itself
 */
record TrialExports(
        ExportSource model,
        Path out,
        Function<Precision, GptGraphOptions> plain,
        List<LoraAdapter> adapters,
        long seed) {
    /**
     * How a model is stored.
     *
     * @param measured lines on why, for the card; empty where that was asked for
     */
    record Stored(Precision precision, CachePrecision cache, String measured) {
        @Override
        public String toString() {
            return precision.label() + " weights, " + cache.label() + " keys and values";
        }
    }

    /** What a model on the CPU says of a folder that is gone afterwards. */
    <T> T look(GptGraphOptions options, Function<Path, T> use) throws IOException {
        Path parent = Files.createDirectories(out.toAbsolutePath().normalize().getParent());
        Path temporary = Files.createTempDirectory(parent, ".calibration-");
        try {
            Path folder = temporary.resolve("model");
            ModelFolderWriter.write(folder, model, options, _ -> "");
            return use.apply(folder);
        } finally {
            AtomicFolder.deleteTree(temporary);
        }
    }

    /** What is exported, with scales for the cache that are found first. */
    GptGraphOptions options(Precision precision, CachePrecision cache) throws IOException {
        GptGraphOptions options = plain.apply(precision);
        return cache == CachePrecision.INT8 ? options.withKvScales(look(options, this::calibrate)) : options;
    }

    /**
     * The fastest way to store the model in which it loses next to nothing.
     *
     * @param checkpoint where the model is from
     * @param text on which that is measured; null for text that the model writes itself
     */
    Stored choose(Path checkpoint, @Nullable Path text) throws IOException {
        LibtorchLogits reference = new LibtorchLogits(model.weights());
        if (reference.headed().isPresent()) { // the loss says nothing of what it was fine-tuned for
            return new Stored(Precision.FP32, CachePrecision.FP32, "");
        }
        List<int[]> texts = text == null
                ? look(new GptGraphOptions(Precision.FP32), folder -> ExportChoice.selfWritten(folder, seed))
                : stretches(checkpoint, text);
        StringBuilder measured = new StringBuilder();
        for (ExportChoice choice : ExportChoice.FASTEST_FIRST) {
            if (choice.precision() == Precision.FP32) {
                break; // as it was trained
            }
            AcceptanceCheck check = look(
                    options(choice.precision(), choice.cache()),
                    folder -> AcceptanceCheck.of(folder, reference, texts));
            measured.append("- ").append(choice.describe(check, text == null)).append('\n');
            if (ExportChoice.isExactEnough(check, text == null)) {
                return new Stored(choice.precision(), choice.cache(), measured.toString());
            }
        }
        return new Stored(Precision.FP32, CachePrecision.FP32, measured.toString());
    }

    private List<int[]> stretches(Path checkpoint, Path text) throws IOException {
        GptConfig config = model.weights().config();
        int[] tokens = Tokenizer.load(checkpoint).encode(Files.readString(text));
        return ExportChoice.stretches(text, config.direction().order(tokens, model.endOfText()), config);
    }

    /** The scales come from what the model itself computes with a cache that loses nothing. */
    private KvScales calibrate(Path folder) {
        KvScales scales = KvScales.calibrate(folder, seed);
        for (LoraAdapter adapter : adapters) {
            scales = scales.atLeast(KvScales.calibrate(folder, folder.resolve(adapter.fileName()), seed));
        }
        return scales;
    }
}
