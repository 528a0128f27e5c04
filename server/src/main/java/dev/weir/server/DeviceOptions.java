package dev.weir.server;

import dev.weir.engine.EngineConfig;
import dev.weir.onnx.CudaOptions;
import dev.weir.onnx.RunnerOptions;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** The options that say where the model is computed. */
final class DeviceOptions {
    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,3}))?");

    /** Sequences that a GPU computes at once: the more, the better it is used, and memory there is plenty. */
    private static final int CUDA_SEQUENCES = 256;

    /** On a GPU a step of thousands of tokens takes little longer than one of a few, so prompts are not cut small. */
    private static final int CUDA_TOKEN_BUDGET = 8192;

    private static final int CUDA_PREFILL_CHUNK = 2048;
    private static final int CUDA_CHUNKS = 64;

    @Option(
            names = "--device",
            paramLabel = "cpu|cuda[:N]",
            description = "What computes: the CPU, or an NVIDIA GPU, for models that were exported with --target cuda."
                    + " Default: ${DEFAULT-VALUE}.")
    private String device = "cpu";

    @Option(
            names = "--gpu-memory-fraction",
            paramLabel = "SHARE",
            description = "Share of the GPU's memory that may be used in all. Default: ${DEFAULT-VALUE}.")
    private double memoryFraction = CudaOptions.DEFAULT.memoryFraction();

    @Option(
            names = "--cuda-graphs",
            paramLabel = "true|false",
            arity = "1",
            description = "Whether decoding on a GPU is recorded once for each size of batch and replayed."
                    + " Default: ${DEFAULT-VALUE}.")
    private boolean cudaGraphs = true;

    boolean isCuda() {
        return matcher().matches();
    }

    /**
     * Refuses what is no device.
     *
     * @throws IllegalArgumentException naming the option and what it may be
     */
    void check() {
        if (!device.equals("cpu") && !isCuda()) {
            throw new IllegalArgumentException("device is " + device + " but must be cpu, cuda or cuda:N");
        }
    }

    private Matcher matcher() {
        return CUDA.matcher(device);
    }

    CudaOptions cuda() {
        Matcher matcher = matcher();
        int number = matcher.matches() && matcher.group(1) != null ? Integer.parseInt(matcher.group(1)) : 0;
        return new CudaOptions(number, memoryFraction, cudaGraphs, CudaOptions.DEFAULT.stepTokens());
    }

    /** Sequences computed at once where nobody says how many. */
    int maxSequences() {
        return isCuda() ? CUDA_SEQUENCES : RunnerOptions.DEFAULT.maxSequences();
    }

    EngineConfig engine() {
        EngineConfig base = EngineConfig.DEFAULT;
        return isCuda()
                ? new EngineConfig(
                        base.maxQueuedRequests(),
                        base.maxQueuedTokens(),
                        CUDA_TOKEN_BUDGET,
                        CUDA_PREFILL_CHUNK,
                        CUDA_CHUNKS)
                : base;
    }

    /** For a line of output. */
    String label() {
        return device;
    }
}
