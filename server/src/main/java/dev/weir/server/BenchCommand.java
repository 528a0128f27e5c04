package dev.weir.server;

import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.ModelLoadException;
import dev.weir.onnx.Peer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code bench}: how fast the model runs on this machine without the server around it, bare and in the engine, and beside it
 * the same weights in other programs.
 */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Measures the model without the server around it: the bare loop, which computes prompts one after the other and "
                    + "then decodes all sequences together, and the engine with the same as requests.",
            "With --peer, also the same work in another program, in turns with them."
        },
        footer = {
            "",
            "./weir bench --random gpt2 --prompt-tokens 64 --peer llama.cpp --peer jlama",
            "./weir bench --micro [REGEX ...]    measures the sampler, the scheduler and the tokenizer by themselves (JMH)"
        })
final class BenchCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Source source;

    private static final class Source {
        @Option(names = "--model", required = true, paramLabel = "DIR", description = "The model folder.")
        @Nullable
        Path model;

        @Option(
                names = "--random",
                required = true,
                paramLabel = "SHAPE",
                description = "Random weights, exported where they are not yet: a preset such as gpt2, or "
                        + "layers/heads/width[/context[/vocabulary]].")
        @Nullable
        String random;
    }

    @Mixin
    private final DeviceOptions device = new DeviceOptions();

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description =
                    "Random weights: fp32 or int8, which llama.cpp gets as Q8_0 and jlama as fp32; on a GPU fp16 or "
                            + "bf16 (default: fp32, on a GPU fp16).")
    private @Nullable String chosenPrecision;

    @Option(
            names = "--kv",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description =
                    "Keys and values of the model with random weights: fp32, on a GPU as the weights, or int8 (default: ${DEFAULT-VALUE}).")
    private String cache = "";

    @Option(
            names = "--peer",
            paramLabel = "NAME[=PATH]",
            description =
                    "Another program with the same weights: llama.cpp=FILE.gguf; jlama=DIR, a folder in Hugging Face's "
                            + "layout; or, also on a GPU, onnxruntime=DIR, an export that its Java API runs by itself, there one "
                            + "with --target cuda-slots. With --random the path may be left out. Repeatable.")
    private List<String> named = List.of();

    @Option(
            names = "--batch",
            split = ",",
            defaultValue = "1,8,32,64",
            paramLabel = "N",
            description = "Sequences generated together. Default: ${DEFAULT-VALUE}.")
    private List<Integer> batches = List.of();

    @Option(names = "--prompt-tokens", paramLabel = "N", description = "Tokens of a prompt. Default: ${DEFAULT-VALUE}.")
    private int promptTokens = 128;

    @Option(
            names = "--new-tokens",
            paramLabel = "N",
            description = "Tokens generated for each sequence. Default: ${DEFAULT-VALUE}.")
    private int newTokens = 64;

    @Option(
            names = "--prefill-tokens",
            paramLabel = "N",
            description =
                    "Tokens of the one prompt that is measured alone, or what the model's context has room for if "
                            + "that is less; 0 leaves it out. Default: ${DEFAULT-VALUE}.")
    private int prefillTokens = 512;

    @Option(
            names = "--prefill-chunk",
            paramLabel = "N",
            description = "Tokens of a prompt that the bare loop computes at once. Default: ${DEFAULT-VALUE}.")
    private int prefillChunk = 128;

    @Option(
            names = "--turns",
            paramLabel = "N",
            description = "How often each is measured; the median counts. Default: ${DEFAULT-VALUE}.")
    private int turns = 3;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Computing threads, the same for all; 0 is one per physical core. Default: ${DEFAULT-VALUE}.")
    private int threads;

    @Option(names = "--json", paramLabel = "FILE", description = "Also write the results there, as JSON.")
    private @Nullable Path json;

    @Override
    public Integer call() {
        try {
            measure(spec.commandLine().getOut());
            return CommandLine.ExitCode.OK;
        } catch (ModelLoadException | IllegalArgumentException | IOException e) {
            spec.commandLine().getErr().println("weir: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
    }

    private void measure(PrintWriter out) throws IOException {
        List<BenchLoad> loads = batches.stream()
                .map(batch -> new BenchLoad(batch, promptTokens, newTokens))
                .toList();
        checkOptions();
        Map<Peer, Path> peers;
        Path model = source.model;
        if (model == null) {
            RandomModels random = new RandomModels(
                    Path.of(System.getProperty("weir.home", "")),
                    String.valueOf(source.random),
                    precision(),
                    cache,
                    device.isCuda());
            peers = BenchPeers.find(named, random::of);
            model = random.own();
        } else {
            peers = BenchPeers.find(named, this::weightsOf);
        }
        ModelFolder folder = checkContext(ModelFolder.open(model));
        BenchRun run = new BenchRun(folder, device, peers, turns, threads, prefillChunk);

        out.println(model + ": " + turns + " turns; latencies are over all turns, speeds and ratios their median");
        peers.forEach((peer, path) -> out.println(peer.name() + ": " + peer.description() + ", " + path));
        BenchText text = new BenchText(out);
        List<BenchResult> prefill = new ArrayList<>();
        int alone = Math.min(prefillTokens, folder.contextLength() - 2);
        if (alone > 0) {
            prefill.add(run.measure(new BenchLoad(1, alone, 2)));
            text.prefill(prefill.getFirst());
        }
        List<BenchResult> generations = new ArrayList<>();
        for (BenchLoad load : loads) {
            generations.add(run.measure(load));
            text.generation(generations.getLast());
            if (json != null) { // as soon as it is known: a peer may take the whole process down with it
                BenchJson.write(json, run, prefill, generations);
            }
        }
    }

    /** What a peer that is named without a path runs beside {@code --model}: only one runs what this server does. */
    private Path weightsOf(String peer) {
        Path model = source.model;
        if (peer.equals("onnxruntime") && model != null && !device.isCuda()) {
            return model;
        }
        throw new IllegalArgumentException("--peer is " + peer + ", without weights: add =PATH, to what ./weir export "
                + "wrote of the same checkpoint (--format gguf for llama.cpp, safetensors for jlama, --target cuda-slots "
                + "for onnxruntime on a GPU), or give --random");
    }

    private void checkOptions() {
        if (turns < 1) {
            throw new IllegalArgumentException("--turns is " + turns + ": it must be at least 1");
        }
        device.checkSingle("bench");
        if (source.random != null && !precisions().contains(precision())) {
            throw new IllegalArgumentException("--precision is " + precision()
                    + ": choose fp32 or int8 on the CPU, fp16 or bf16 with --device cuda");
        }
    }

    /** What there are random weights in, the default first. */
    private List<String> precisions() {
        return device.isCuda() ? List.of("fp16", "bf16") : List.of("fp32", "int8");
    }

    private String precision() {
        return chosenPrecision == null ? precisions().getFirst() : chosenPrecision;
    }

    private ModelFolder checkContext(ModelFolder folder) {
        if (promptTokens + newTokens > folder.contextLength()) {
            throw new IllegalArgumentException("--prompt-tokens " + promptTokens + " and --new-tokens " + newTokens
                    + " are more together than the context of " + folder.name() + ", " + folder.contextLength()
                    + " tokens: choose fewer");
        }
        return folder;
    }
}
