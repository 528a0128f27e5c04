package dev.weir.server;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineListener;
import dev.weir.onnx.BareLoop;
import dev.weir.onnx.EngineLoop;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.ModelLoadException;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bench}: how fast the model runs on this machine without the server around it, bare and in the engine. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Measures the bare model loop: prompts one after the other, then all sequences decoded together.",
            "Then gives the engine the same as requests, and prints what is left of the bare loop's speed."
        })
final class BenchCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "DIR", description = "The model folder.")
    private Path model = Path.of("");

    @Option(
            names = "--batch",
            split = ",",
            defaultValue = "1,8,32,64",
            paramLabel = "N",
            description = "Sequences decoded together. Default: ${DEFAULT-VALUE}.")
    private List<Integer> batches = List.of();

    @Option(names = "--prompt-tokens", paramLabel = "N", description = "Tokens of a prompt. Default: ${DEFAULT-VALUE}.")
    private int promptTokens = 128;

    @Option(
            names = "--new-tokens",
            paramLabel = "N",
            description = "Tokens generated for each sequence. Default: ${DEFAULT-VALUE}.")
    private int newTokens = 64;

    @Option(
            names = "--prefill-chunk",
            paramLabel = "N",
            description = "Tokens of a prompt computed at once. Default: ${DEFAULT-VALUE}.")
    private int prefillChunk = 128;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Computing threads; 0 is one per physical core. Default: ${DEFAULT-VALUE}.")
    private int threads;

    private final List<BareLoop.Result> bare = new ArrayList<>();

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        int most = Collections.max(batches);
        // Its context is as long as the load needs, so that the cache is no larger than what is measured.
        int maxTokens = promptTokens + newTokens;
        try {
            OnnxModelRunner runner = OnnxModelRunner.open(
                    checkContext(ModelFolder.open(model)), new RunnerOptions(most, 0, maxTokens, threads));
            // The engine closes the model with itself.
            try (Engine engine = measureModel(out, runner)) {
                measureEngine(out, engine);
            }
        } catch (ModelLoadException | IllegalArgumentException e) {
            spec.commandLine().getErr().println("weir: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        return CommandLine.ExitCode.OK;
    }

    /** The bare loop for each batch; then the model belongs to the engine that comes back. */
    private Engine measureModel(PrintWriter out, OnnxModelRunner runner) {
        try {
            out.println(model + ": " + runner.threads() + " threads, " + promptTokens + " prompt tokens, " + newTokens
                    + " new tokens");
            out.println("sequences  prefill tok/s  decode tok/s  step ms  generated tok/s in all");
            for (int batch : batches) {
                BareLoop.Result result =
                        BareLoop.run(runner, new BareLoop.Load(batch, promptTokens, newTokens, prefillChunk));
                bare.add(result);
                out.println(String.format(
                        Locale.ROOT,
                        "%9d  %13.0f  %12.0f  %7.2f  %22.0f",
                        batch,
                        result.prefillTokensPerSecond(),
                        result.decodeTokensPerSecond(),
                        result.step().toNanos() / 1e6,
                        result.totalTokensPerSecond()));
                out.flush();
            }
            return Engine.start(runner, EngineConfig.DEFAULT, EngineListener.NONE);
        } catch (RuntimeException e) {
            runner.close();
            throw e;
        }
    }

    private void measureEngine(PrintWriter out, Engine engine) {
        out.println("the engine with the same as requests, greedy");
        out.println("sequences  generated tok/s in all  of the bare loop");
        for (BareLoop.Result result : bare) {
            BareLoop.Load load = result.load();
            EngineLoop.run(engine, load); // to warm up
            double tokensPerSecond = EngineLoop.run(engine, load).tokensPerSecond();
            out.println(String.format(
                    Locale.ROOT,
                    "%9d  %22.0f  %15.0f%%",
                    load.sequences(),
                    tokensPerSecond,
                    100 * tokensPerSecond / result.totalTokensPerSecond()));
            out.flush();
        }
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
