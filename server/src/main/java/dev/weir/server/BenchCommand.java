package dev.weir.server;

import dev.weir.onnx.BareLoop;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.ModelLoadException;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bench}: how fast the model runs on this machine without the server around it. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures the bare model loop: prompts one after the other, then all sequences decoded together.")
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

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        int most = Collections.max(batches);
        // Its context is as long as the load needs, so that the cache is no larger than what is measured.
        int maxTokens = promptTokens + newTokens;
        try (OnnxModelRunner runner = OnnxModelRunner.open(
                checkContext(ModelFolder.open(model)), new RunnerOptions(most, 0, maxTokens, threads))) {
            out.println(model + ": " + runner.threads() + " threads, " + promptTokens + " prompt tokens, " + newTokens
                    + " new tokens");
            out.println("sequences  prefill tok/s  decode tok/s  step ms  generated tok/s in all");
            for (int batch : batches) {
                BareLoop.Result result =
                        BareLoop.run(runner, new BareLoop.Load(batch, promptTokens, newTokens, prefillChunk));
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
        } catch (ModelLoadException | IllegalArgumentException e) {
            spec.commandLine().getErr().println("weir: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        return CommandLine.ExitCode.OK;
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
