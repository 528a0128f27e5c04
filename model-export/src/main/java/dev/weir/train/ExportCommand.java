package dev.weir.train;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Serial;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code weir export}: writes a model folder for the server and compares it with libtorch on the weights that it was made
 * from. A model that differs is not written. Or writes the weights as they are in Hugging Face's layout, or as llama.cpp reads
 * them.
 *
 * <pre>
 * weir export --checkpoint runs/shakespeare/best --precision int8 --out models/shakespeare
 * weir export --random gpt2 --seed 1 --out models/gpt2-random
 * weir export --random 6/6/384/256/4096 --out models/small-random
 * weir export --checkpoint gpt2 --adapter runs/reviews/best,runs/topics/best --out models/gpt2-adapters
 * weir export --checkpoint runs/shakespeare/best --format safetensors --out shakespeare-hf
 * weir export --random gpt2 --format gguf --precision int8 --out models/gpt2-gguf
 * </pre>
 */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Writes a checkpoint, or a GPT with random weights, as a model folder that weir serve runs on the CPU.",
        footer = {"", "The model is compared with libtorch before the folder appears; one that differs is not written."
        })
final class ExportCommand implements Callable<Integer> {
    private static final int CHECKED_TEXTS = 4;
    private static final int CHECKED_TOKENS = 64;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Source source;

    private static final class Source {
        @Option(
                names = "--checkpoint",
                required = true,
                paramLabel = "DIR",
                description = "A model that pretrain wrote, such as runs/NAME/best, or a Hugging Face GPT-2.")
        @Nullable
        Path checkpoint;

        @Option(
                names = "--random",
                required = true,
                paramLabel = "SHAPE",
                description =
                        "Random weights: a preset that ./weir presets lists, or layers/heads/width[/context[/vocabulary]].")
        @Nullable
        String random;
    }

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "The model folder to write.")
    private Path out = Path.of("");

    @Option(
            names = "--format",
            paramLabel = "NAME",
            defaultValue = "onnx",
            description = "onnx, which weir serve runs; safetensors in Hugging Face's layout; or gguf, which llama.cpp "
                    + "runs, in fp32 or int8, there Q8_0 (default: ${DEFAULT-VALUE}).")
    private Format format = Format.ONNX;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description =
                    "Weights: fp32; fp16 for half the size; int8 for a quarter and for speed with many sequences; "
                            + "int4 for a fifth or less and for speed with few, at some loss (default: ${DEFAULT-VALUE}).")
    private Precision precision = Precision.FP32;

    @Option(
            names = "--kv",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description =
                    "Cache of keys and values: fp32, or int8 for many or long sequences (default: ${DEFAULT-VALUE}).")
    private CachePrecision cache = CachePrecision.FP32;

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "The Jinja template that makes a conversation into a prompt "
                    + "(default: the checkpoint's own, else one text that the model continues).")
    private @Nullable Path chatTemplate;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "Temperature when a request names none, 0 to 2; 0 is the likeliest token every time "
                    + "(default: the checkpoint's generation_config.json, else 0.8).")
    private @Nullable Double temperature;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Nucleus when a request names none, above 0 and at most 1 "
                    + "(default: the checkpoint's generation_config.json, else 0.95).")
    private @Nullable Double topP;

    @Option(
            names = "--license",
            paramLabel = "TEXT",
            description = "The model's licence, one line for its card, such as Apache-2.0.")
    private @Nullable String license;

    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            split = ",",
            description =
                    "A model that finetune --lora-rank wrote beside this checkpoint, such as runs/NAME/best, or a LoRA "
                            + "adapter in PEFT's files: it becomes NAME.onnx_adapter in --out, which ONNX Runtime runs with "
                            + "the model or leaves away. Several with commas between them.")
    private List<Path> adapters = List.of();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of random weights (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--overwrite", description = "Replace the model that is in --out.")
    private boolean overwrite;

    /** What {@code --adapter} names. */
    private List<LoraAdapter> opened = List.of();

    @Override
    public Integer call() throws IOException {
        checkOptions();
        SamplingDefaults sampling = new SamplingDefaults(temperature, topP);
        ExportSource model = source().withSampling(sampling);
        if (!adapters.isEmpty() && source.checkpoint != null) {
            opened = LoraAdapter.openAll(adapters, source.checkpoint, model.weights());
            model = model.withAdapters(opened);
        }
        String name = source.checkpoint == null ? String.valueOf(source.random) : source.checkpoint.toString();
        ExportRoom room = ExportRoom.of(model.weights().config(), precision);
        if (format != Format.ONNX) {
            room.requireDisk(name, out);
            return format == Format.GGUF ? exportGguf(model) : exportSafetensors(model);
        }
        room.require(name, out);
        return export(model);
    }

    private int exportSafetensors(ExportSource model) throws IOException {
        GptConfig config = model.weights().config();
        AtomicFolder.write(out, draft -> {
            Checkpoint.write(draft, model.weights(), model.endOfText());
            for (Map.Entry<String, String> file : model.files().entrySet()) {
                Files.writeString(draft.resolve(file.getKey()), file.getValue());
            }
            Files.writeString(
                    draft.resolve(TrainingCard.FILE),
                    ModelCard.text(name(), model, "in float32, in Hugging Face's layout", licence()));
        });
        PrintWriter console = spec.commandLine().getOut();
        console.println(out + ": " + config + ", " + config.parameters() + " weights in " + Checkpoint.WEIGHTS);
        if (GptConfigFile.isOwn(config)) {
            console.println("Hugging Face's libraries do not compute this model and refuse its model_type, "
                    + GptConfigFile.modelType(config));
        }
        return CommandLine.ExitCode.OK;
    }

    private int exportGguf(ExportSource model) throws IOException {
        GptConfig config = model.weights().config();
        AtomicFolder.write(out, draft -> {
            GgufModel.write(draft.resolve(GgufModel.FILE), name(), model, precision);
            String stored = precision == Precision.INT8 ? "in Q8_0" : "in float32";
            Files.writeString(
                    draft.resolve(TrainingCard.FILE),
                    ModelCard.text(name(), model, stored + ", as llama.cpp reads them", licence()));
        });
        spec.commandLine()
                .getOut()
                .println(out + ": " + config + ", " + config.parameters() + " weights in " + GgufModel.FILE);
        return CommandLine.ExitCode.OK;
    }

    /** What the model is called: its folder's name. */
    private String name() {
        return out.toAbsolutePath().normalize().getFileName().toString();
    }

    private ExportSource source() throws IOException {
        ExportSource model = source.checkpoint != null
                ? ExportSource.checkpoint(source.checkpoint)
                : ExportSource.random(parseShape(String.valueOf(source.random)), seed);
        if (chatTemplate != null) {
            return model.withChatTemplate(Files.readString(chatTemplate));
        }
        return model;
    }

    private int export(ExportSource model) throws IOException {
        try {
            GptGraphOptions options = new GptGraphOptions(precision).withAdapters(opened);
            if (cache == CachePrecision.INT8) {
                options = options.withKvScales(calibrate(model, options));
            }
            ModelFolderWriter.write(out, model, options, draft -> accept(draft, model));
            return CommandLine.ExitCode.OK;
        } catch (RejectedExportException e) {
            spec.commandLine().getErr().println(e.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    /** The scales come from what the model itself computes with a cache that loses nothing. */
    private KvScales calibrate(ExportSource model, GptGraphOptions options) throws IOException {
        Path parent = Files.createDirectories(out.toAbsolutePath().normalize().getParent());
        Path temporary = Files.createTempDirectory(parent, ".calibration-");
        try {
            Path folder = temporary.resolve("model");
            ModelFolderWriter.write(folder, model, options, _ -> "");
            KvScales scales = KvScales.calibrate(folder, seed);
            for (LoraAdapter adapter : opened) {
                scales = scales.atLeast(KvScales.calibrate(folder, folder.resolve(adapter.fileName()), seed));
            }
            return scales;
        } finally {
            AtomicFolder.deleteTree(temporary);
        }
    }

    /** Compares the written model with libtorch and returns its card. */
    private String accept(Path draft, ExportSource model) {
        GptConfig config = model.weights().config();
        LibtorchLogits reference = new LibtorchLogits(model.weights());
        // Long enough to reach past a window, on both sides of which the check must look.
        int tokens = CHECKED_TOKENS + config.window();
        List<int[]> texts = SelfWrittenText.write(draft, CHECKED_TEXTS, tokens, seed);
        AcceptanceCheck check = AcceptanceCheck.of(draft, reference, texts);
        String checks = "- checked against libtorch: " + check + "\n";
        if (precision == Precision.FP16 || precision == Precision.INT4) {
            // What rounding the weights costs is no mistake of the graph: that is held to its arithmetic without it.
            reference.replace(new StoredWeights(model.weights(), precision));
            AcceptanceCheck rounded = AcceptanceCheck.of(draft, reference, texts);
            checks += "- checked against libtorch with the weights as rounded: " + rounded + "\n";
            require(rounded, arithmetic(), "the exported model differs from the weights that it stores");
            require(check, overall(), precision.label() + " loses too much of these weights");
        } else {
            require(check, overall(), "the exported model differs from its weights");
        }
        StringBuilder adapted = new StringBuilder();
        for (LoraAdapter adapter : opened) {
            adapted.append("- adapter ")
                    .append(accept(draft, adapter, model, texts))
                    .append('\n');
            adapter.head().ifPresent(head -> adapted.append("  ").append(ModelCard.head(head)));
        }
        PrintWriter console = spec.commandLine().getOut();
        console.println(out + ": " + config + ", " + config.parameters() + " weights, " + precision.label() + " with "
                + cache.label() + " cache");
        (checks + adapted)
                .lines()
                .map(line -> line.replaceFirst("^- checked ", ""))
                .forEach(console::println);
        String stored = precision.label() + " weights, " + cache.label() + " keys and values";
        SamplingDefaults sampling = model.sampling();
        String served = sampling.isEmpty() ? "" : "- served, unless a request says otherwise, with " + sampling + "\n";
        return ModelCard.text(name(), model, stored, served + licence() + checks + adapted);
    }

    /** Compares the model with an adapter beside it with libtorch on the merged weights; a line on both. */
    private String accept(Path draft, LoraAdapter adapter, ExportSource model, List<int[]> texts) {
        List<int[]> own = new ArrayList<>();
        for (int[] text : texts) {
            own.add(text.clone());
            if (adapter.tokens().length > 0) { // which the base never writes
                own.getLast()[0] = adapter.tokens()[own.size() % adapter.tokens().length];
            }
        }
        ReferenceModel reference = new LibtorchLogits(adapter.mergedInto(model.weights()));
        AcceptanceCheck check = AcceptanceCheck.of(draft, draft.resolve(adapter.fileName()), reference, own);
        require(check, overall(), "the exported model with " + adapter.fileName() + " differs from its weights");
        return adapter.describe() + ", against libtorch: " + check;
    }

    private String licence() {
        return license == null ? "" : "- licence: " + license.strip() + "\n";
    }

    /** The least exact numbers that the graph multiplies. */
    private Precision arithmetic() {
        boolean isFloat = precision == Precision.FP32 || precision == Precision.FP16;
        return isFloat && cache == CachePrecision.FP32 ? Precision.FP32 : Precision.INT8;
    }

    /** The least exact numbers in the model. */
    private Precision overall() {
        return precision != Precision.INT4 && cache == CachePrecision.INT8 ? Precision.INT8 : precision;
    }

    private static void require(AcceptanceCheck check, Precision precision, String complaint) {
        if (!check.accepts(precision)) {
            throw new RejectedExportException("nothing was written: " + complaint + " (" + check + "; allowed for "
                    + precision.label() + ": " + check.tolerance(precision) + ")");
        }
    }

    private void checkOptions() {
        if (format == Format.SAFETENSORS && (precision != Precision.FP32 || cache != CachePrecision.FP32)) {
            throw new UserError(
                    "--format is safetensors, which holds the weights as they were trained: leave out --precision "
                            + "and --kv, or choose --format onnx");
        }
        if (format == Format.GGUF
                && (cache != CachePrecision.FP32 || precision == Precision.FP16 || precision == Precision.INT4)) {
            throw new UserError(
                    "--format is gguf, which holds weights in fp32 or int8 and leaves the cache to who runs "
                            + "them: leave out --kv and choose one of these, or --format onnx");
        }
        if (format != Format.ONNX && (temperature != null || topP != null)) {
            throw new UserError("--format is " + format.label()
                    + ", whose folder is not served: leave out --temperature and --top-p, or choose --format onnx");
        }
        if (license != null && (license.isBlank() || license.lines().count() > 1)) {
            throw new UserError("--license is \"" + license + "\": give one line, such as Apache-2.0");
        }
        if (!adapters.isEmpty() && source.checkpoint == null) {
            throw new UserError("--adapter is " + adapters.getFirst()
                    + ", but random weights have none: give --checkpoint, with the weights that it was trained beside");
        }
        if (!adapters.isEmpty() && format != Format.ONNX) {
            throw new UserError("--adapter is " + adapters.getFirst() + ", but --format is " + format.label()
                    + ": export the model in that folder, which has the adapter in its weights, without --adapter");
        }
        if (Files.isRegularFile(out.resolve(TrainingState.NAME))) {
            throw new UserError("--out is " + out + ", which holds the state of a run: name another folder");
        }
        if (Files.exists(out) && !overwrite) {
            throw new UserError("--out is " + out + ", which exists: name another folder, or add --overwrite");
        }
        if (Files.exists(out) && !Files.isRegularFile(out.resolve(format.modelFile()))) {
            throw new UserError("--out is " + out + ", which holds no " + format.modelFile()
                    + ": only a model is overwritten, so name another folder");
        }
    }

    /** The name of a preset, or a GPT-2 as {@code layers/heads/width[/context[/vocabulary]]}. */
    static GptConfig parseShape(String shape) {
        if (!shape.contains("/")) {
            return Preset.named(shape).config();
        }
        String[] parts = shape.split("/", -1);
        int[] sizes = {0, 0, 0, 1024, 50257};
        if (parts.length < 3 || parts.length > sizes.length) {
            throw new UserError(
                    "--random is " + shape + ": give layers/heads/width, then /context/vocabulary if wanted");
        }
        for (int i = 0; i < parts.length; i++) {
            try {
                sizes[i] = Integer.parseInt(parts[i]);
            } catch (NumberFormatException e) {
                throw new UserError("--random is " + shape + ": \"" + parts[i] + "\" is not a whole number", e);
            }
        }
        return new GptConfig(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], 0);
    }

    /** Our own mistake, or weights that so few bits cannot hold. */
    private static final class RejectedExportException extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1L;

        RejectedExportException(String message) {
            super(message);
        }
    }
}
