package dev.weir.train;

import dev.weir.onnx.ModelFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
 * them. Random weights may go unchecked, which needs no libtorch, not even on the class path.
 *
 * <pre>
 * weir export --checkpoint runs/shakespeare/best --precision int8 --out models/shakespeare
 * weir export --random gpt2 --seed 1 --out models/gpt2-random
 * weir export --random 6/6/384/256/4096 --out models/small-random
 * weir export --random gpt2-xl --unchecked --target cuda --out models/xl-random
 * weir export --checkpoint gpt2 --adapter runs/reviews/best,runs/topics/best --out models/gpt2-adapters
 * weir export --checkpoint runs/shakespeare/best --embeddings --out models/shakespeare-embeddings
 * weir export --checkpoint runs/shakespeare/best --target cuda --out models/shakespeare-cuda
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
        footer = {
            "",
            "The model is compared with libtorch before the folder appears; one that differs is not written. --unchecked "
                    + "spares random weights that.",
            "For --target cuda and cuda-slots a twin with the same weights in the CPU's graph is compared: no GPU is needed."
        })
final class ExportCommand implements Callable<Integer> {
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
            names = "--target",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description =
                    "What is to run it: cpu, or cuda for ONNX Runtime's paged attention on an NVIDIA GPU, in half "
                            + "floats or bfloat16, for weir serve --device cuda; or cuda-slots for the same without "
                            + "blocks, which other programs run and weir bench measures (default: ${DEFAULT-VALUE}).")
    private Target target = Target.CPU;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "Weights: fp32; fp16 for half the size; bf16 for the same on a GPU alone, in fp32's range "
                    + "but three bits coarser; int8 for a quarter and for speed with many sequences; "
                    + "int4 for a fifth or less and for speed with few, at some loss (default: int8 for a "
                    + "--checkpoint whose loss rises by 0.5 %% at most, with --kv int8 if that holds then too, "
                    + "else fp32; with --target cuda fp16, and bf16 is the other one).")
    private @Nullable Precision chosenPrecision;

    @Option(
            names = "--numerics",
            paramLabel = "NAME",
            defaultValue = "exact",
            description =
                    "With int8: exact scales each token's activations by themselves, so that no answer depends on what "
                            + "else the server does; fast takes one scale for all tokens that are computed together "
                            + "(default: ${DEFAULT-VALUE}).")
    private Numerics numerics = Numerics.EXACT;

    @Option(
            names = "--kv",
            paramLabel = "NAME",
            description = "Cache of keys and values: fp32, or int8 for many or long sequences "
                    + "(default: fp32, or as --precision says; with --target cuda as the weights).")
    private @Nullable CachePrecision chosenCache;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "UTF-8 text on which the default of --precision is measured "
                    + "(default: text that the model writes itself).")
    private @Nullable Path text;

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
            names = "--embeddings",
            description = "Write a second graph of the same weights, " + ModelFolder.EMBEDDINGS_FILE
                    + ", with which weir serve answers /v1/embeddings: the mean of what the last norm gives of a text's"
                    + " tokens. The weights are then in a file of their own, which both graphs read.")
    private boolean embeddings;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of random weights (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--unchecked",
            description =
                    "With --random: write the model without comparing it with libtorch, which is then not needed, "
                            + "and say so in its card.")
    private boolean unchecked;

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
        GptConfig config = model.weights().config();
        if (format != Format.ONNX && config.family() == Family.LLAMA) {
            throw new UserError("--format is " + format.label() + ", but " + name
                    + " is a Llama, which is exported as a graph alone: choose --format onnx");
        }
        if (embeddings && config.family() == Family.LLAMA) {
            throw new UserError(
                    "--embeddings is given, but " + name + " is a Llama, whose graph gives logits alone: leave it out");
        }
        String excuse = unchecked
                ? "it was exported with --unchecked"
                : config.family() == Family.LLAMA ? "libtorch computes no Llama here" : "";
        ExportRoom room = ExportRoom.of(config, precision());
        if (format != Format.ONNX) {
            room.requireDisk(name, out);
            return format == Format.GGUF ? exportGguf(model) : exportSafetensors(model);
        }
        (excuse.isEmpty() ? room : room.unchecked(cache() == CachePrecision.INT8)).require(name, out);
        TrialExports trials = new TrialExports(model, out, this::plainOptions, opened, seed);
        TrialExports.Stored stored = isFree(excuse)
                ? trials.choose(Objects.requireNonNull(source.checkpoint), text)
                : new TrialExports.Stored(precision(), cache(), "");
        return export(model, excuse, trials, stored);
    }

    private GptGraphOptions plainOptions(Precision stored) {
        return new GptGraphOptions(stored)
                .withNumerics(numerics)
                .withAdapters(opened)
                .withEmbeddings(embeddings);
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
            GgufModel.write(draft.resolve(GgufModel.FILE), name(), model, precision());
            String stored = precision() == Precision.INT8 ? "in Q8_0" : "in float32";
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

    private Precision precision() {
        return chosenPrecision == null ? target.precision() : chosenPrecision;
    }

    private CachePrecision cache() {
        return chosenCache == null ? target.cache(precision()) : chosenCache;
    }

    /** Whether nothing says how the model is to be stored, and it can be measured what that costs. */
    private boolean isFree(String excuse) {
        boolean isFree = chosenPrecision == null
                && chosenCache == null
                && source.checkpoint != null
                && target == Target.CPU
                && numerics == Numerics.EXACT
                && adapters.isEmpty()
                && excuse.isEmpty();
        if (text != null && !isFree) {
            throw new UserError(
                    "--text is " + text + ", on which the default of --precision and --kv is measured: "
                            + "leave it out, or give a --checkpoint without them, --adapter, --numerics fast and --target cuda");
        }
        return isFree;
    }

    /**
     * Writes a model folder.
     *
     * @param excuse why the model is compared with nothing; empty if it is to be compared
     */
    private int export(ExportSource model, String excuse, TrialExports trials, TrialExports.Stored stored)
            throws IOException {
        try {
            GptGraphOptions onCpu = trials.options(stored.precision(), stored.cache());
            if (!excuse.isEmpty()) {
                ModelFolderWriter.write(
                        out,
                        model,
                        onCpu.withTarget(target),
                        _ -> card(model, stored, ModelCard.unchecked(target, excuse)));
                return CommandLine.ExitCode.OK;
            }
            ExportAcceptance acceptance = new ExportAcceptance(model, onCpu, opened, seed);
            switch (target) {
                case CPU ->
                    ModelFolderWriter.write(out, model, onCpu, draft -> card(model, stored, acceptance.check(draft)));
                case CUDA, CUDA_SLOTS -> {
                    String checks = trials.look(onCpu, acceptance::check);
                    ModelFolderWriter.write(
                            out,
                            model,
                            onCpu.withTarget(target),
                            _ -> card(model, stored, ModelCard.twin(target, stored.precision(), checks)));
                }
            }
            return CommandLine.ExitCode.OK;
        } catch (ExportAcceptance.RejectedException e) {
            spec.commandLine().getErr().println(e.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    /** The card of a model that was accepted, of which the console is told too. */
    private String card(ExportSource model, TrialExports.Stored stored, String checks) {
        GptConfig config = model.weights().config();
        PrintWriter console = spec.commandLine().getOut();
        console.println(out + ": " + config + ", " + config.parameters() + " weights, "
                + stored.precision().label() + " with " + stored.cache().label() + " cache");
        (stored.measured() + checks)
                .lines()
                .map(line -> line.replaceFirst("^- (checked (?=against))?", ""))
                .forEach(console::println);
        SamplingDefaults sampling = model.sampling();
        String served = sampling.isEmpty() ? "" : "- served, unless a request says otherwise, with " + sampling + "\n";
        String second = embeddings
                ? "- embeddings of " + config.width() + " numbers: `" + ModelFolder.EMBEDDINGS_FILE + "`, output `"
                        + ModelFolder.EMBEDDINGS_OUTPUT + "`\n"
                : "";
        String shared = numerics == Numerics.FAST ? ", activations with one scale for a whole batch" : "";
        return ModelCard.text(name(), model, stored + shared, served + second + licence() + stored.measured() + checks);
    }

    private String licence() {
        return license == null ? "" : "- licence: " + license.strip() + "\n";
    }

    private void checkOptions() {
        if (format == Format.SAFETENSORS && target != Target.CPU) {
            throw new UserError("--format is safetensors, which holds weights and no graph that is for a target: leave "
                    + "out --target, or choose --format onnx");
        }
        if (format == Format.SAFETENSORS && (precision() != Precision.FP32 || cache() != CachePrecision.FP32)) {
            throw new UserError(
                    "--format is safetensors, which holds the weights as they were trained: leave out --precision "
                            + "and --kv, or choose --format onnx");
        }
        if (text != null && format != Format.ONNX) {
            throw new UserError("--text is " + text + ", but --format is " + format.label()
                    + ", whose precision is not measured: leave it out, or choose --format onnx");
        }
        if (text != null && !Files.isRegularFile(text)) {
            throw new UserError("--text is " + text + ", which is no file: give UTF-8 text");
        }
        if (numerics == Numerics.FAST && (precision() != Precision.INT8 || format != Format.ONNX)) {
            throw new UserError(
                    "--numerics is fast, which is about the activations of eight-bit weights: give --precision "
                            + "int8 and --format onnx, or leave it out");
        }
        if (format == Format.GGUF
                && (cache() != CachePrecision.FP32
                        || (precision() != Precision.FP32 && precision() != Precision.INT8))) {
            throw new UserError(
                    "--format is gguf, which holds weights in fp32 or int8 and leaves the cache to who runs "
                            + "them: leave out --kv and choose one of these, or --format onnx");
        }
        checkTarget();
        if (format != Format.ONNX && (temperature != null || topP != null)) {
            throw new UserError("--format is " + format.label()
                    + ", whose folder is not served: leave out --temperature and --top-p, or choose --format onnx");
        }
        if (embeddings && (format != Format.ONNX || target != Target.CPU || !adapters.isEmpty())) {
            throw new UserError("--embeddings writes a graph for the CPU, without adapters: leave it out, or leave out "
                    + "--adapter and choose --format onnx and --target cpu");
        }
        if (license != null && (license.isBlank() || license.lines().count() > 1)) {
            throw new UserError("--license is \"" + license + "\": give one line, such as Apache-2.0");
        }
        if (unchecked && source.checkpoint != null) {
            throw new UserError("--unchecked is for random weights, from which nobody wants answers: leave it out "
                    + "with --checkpoint, or give --random");
        }
        if (unchecked && format != Format.ONNX) {
            throw new UserError("--format is " + format.label() + ", which is never compared with libtorch: leave out "
                    + "--unchecked, or choose --format onnx");
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

    /** What the target's operators take. */
    private void checkTarget() {
        Precision weights = precision();
        CachePrecision cache = cache();
        if (target == Target.CPU) {
            if (weights == Precision.BF16) {
                throw new UserError("--precision is bf16, which the CPU has no products for: choose fp16, of the same "
                        + "size, or --target cuda");
            }
            if (cache == CachePrecision.FP16 || cache == CachePrecision.BF16) {
                throw new UserError("--kv is " + cache.label() + ", which the CPU "
                        + (cache == CachePrecision.FP16 ? "is slow with" : "has no attention for")
                        + ": choose fp32 or int8, or --target cuda");
            }
            return;
        }
        switch (weights) {
            case FP16, BF16 -> {}
            case FP32 ->
                throw new UserError(
                        "--precision is fp32, but ONNX Runtime's attention on a GPU takes no float32: choose "
                                + "fp16 or bf16, or choose --target cpu");
            case INT8, INT4 ->
                throw new UserError("--precision is " + weights.label() + ", whose operators are there for the CPU "
                        + "alone: choose fp16 or bf16, with --kv int8 for a smaller cache, or choose --target cpu");
        }
        if (cache != CachePrecision.INT8 && cache != target.cache(weights)) {
            throw new UserError("--kv is " + cache.label() + ", but "
                    + (cache == CachePrecision.FP32
                            ? "ONNX Runtime's attention on a GPU takes no float32"
                            : "--precision is " + weights.label()
                                    + ", and attention wants both alike or the cache in int8")
                    + ": choose " + weights.label() + " or int8, or choose --target cpu");
        }
        if (!adapters.isEmpty()) {
            throw new UserError("--adapter is " + adapters.getFirst() + ", but a graph for " + target.label()
                    + " has no inputs for "
                    + "adapters: export the model in that folder, which has the adapter in its weights, without "
                    + "--adapter, or choose --target cpu");
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
}
