package dev.weir.onnx;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code gpu-check}: what tests cannot see without a GPU. A program of its own, so that no test passes by not having run; it says
 * what it has seen, and says so if it could not run.
 */
@Command(
        name = "gpu-check",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Tries a model on a GPU: the same greedy tokens as the CPU export of the same weights, nothing lost after many "
                    + "requests with cancellations and stalled readers, and faults that end requests and not the process.",
            "Exit code: 0 if all is well, 1 if not, 3 if it did not run."
        })
final class GpuCheck implements Callable<Integer> {
    private static final int FAILED = 1;
    private static final int DID_NOT_RUN = 3;

    @Option(names = "--model", required = true, paramLabel = "DIR", description = "An export with --target cuda.")
    private Path model = Path.of("");

    @Option(
            names = "--reference",
            required = true,
            paramLabel = "DIR",
            description = "The same weights in an fp32 export for the CPU.")
    private Path reference = Path.of("");

    @Option(names = "--prompts", paramLabel = "N", description = "Prompts to compare. Default: ${DEFAULT-VALUE}.")
    private int prompts = 200;

    @Option(
            names = "--new-tokens",
            paramLabel = "N",
            description = "Tokens of each answer that is compared. Default: ${DEFAULT-VALUE}.")
    private int newTokens = 24;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description =
                    "Tokens of prompt and answer together; 0 is the model's own limit. Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Option(names = "--requests", paramLabel = "N", description = "Requests to churn. Default: ${DEFAULT-VALUE}.")
    private int requests = 10_000;

    @Override
    public Integer call() {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try {
            ModelFolder cuda = ModelFolder.open(model);
            PagedModelRunner.open(cuda, new RunnerOptions(1, 0, maxTokens, 0), CudaOptions.DEFAULT)
                    .close(); // without a GPU nothing else is worth its time
            CudaPlatform platform = CudaPlatform.NVIDIA;
            boolean isGood = RankingCheck.run(cuda, platform, out);
            isGood &= GreedyCheck.run(
                    cuda, ModelFolder.open(reference), prompts, newTokens, maxTokens, platform, out);
            isGood &= ChurnCheck.run(cuda, requests, maxTokens, platform, out);
            isGood &= FaultCheck.run(cuda, maxTokens, out);
            out.println(isGood ? "all is well" : "something FAILED");
            return isGood ? CommandLine.ExitCode.OK : FAILED;
        } catch (ModelLoadException e) {
            out.println("the GPU checks did NOT run: " + e.getMessage());
            return DID_NOT_RUN;
        }
    }

    /** The program; the command's name comes first, as {@code ./weir} gives it. */
    public static void main(String[] arguments) {
        String[] options = Arrays.copyOfRange(arguments, Math.min(1, arguments.length), arguments.length);
        System.exit(new CommandLine(new GpuCheck()).execute(options));
    }
}
