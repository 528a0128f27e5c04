package dev.weir.server;

import dev.weir.engine.EngineConfig;
import dev.weir.onnx.CudaOptions;
import dev.weir.onnx.RunnerOptions;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** The options that say where the model is computed. */
final class DeviceOptions {
    private static final Pattern CUDA = Pattern.compile("cuda(:\\d{1,3}(,(cuda:)?\\d{1,3})*)?");

    private static final Pattern NUMBER = Pattern.compile("\\d+");

    /** Sequences that a GPU computes at once: the more, the better it is used, and memory there is plenty. */
    private static final int CUDA_SEQUENCES = 256;

    /** On a GPU a step of thousands of tokens takes little longer than one of a few, so prompts are not cut small. */
    private static final int CUDA_TOKEN_BUDGET = 8192;

    private static final int CUDA_PREFILL_CHUNK = 2048;
    private static final int CUDA_CHUNKS = 64;

    @Option(
            names = "--device",
            paramLabel = "cpu|cuda[:N[,N...]]",
            description = "What computes: the CPU, or an NVIDIA GPU, for models that were exported with --target cuda."
                    + " Several, such as cuda:0,1, compute requests of their own when the model is served; what other options"
                    + " say of sequences, queues and memory is for each of them. Default: ${DEFAULT-VALUE}.")
    private String device = "cpu";

    @Option(
            names = "--gpu-memory-fraction",
            paramLabel = "SHARE",
            description = "Share of the memory of each GPU that may be used in all. Default: ${DEFAULT-VALUE}.")
    private double memoryFraction = CudaOptions.DEFAULT.memoryFraction();

    @Option(
            names = "--cuda-graphs",
            paramLabel = "true|false",
            arity = "1",
            description = "Whether decoding on a GPU is recorded once for each size of batch and replayed."
                    + " Default: ${DEFAULT-VALUE}.")
    private boolean cudaGraphs = true;

    boolean isCuda() {
        return CUDA.matcher(device).matches();
    }

    /**
     * Refuses what is no device.
     *
     * @throws IllegalArgumentException naming the option and what it may be
     */
    void check() {
        if (!device.equals("cpu") && !isCuda()) {
            throw new IllegalArgumentException(
                    "device is " + device + " but must be cpu, cuda, cuda:N or, for several GPUs, cuda:N,M");
        }
        List<Integer> numbers = numbers();
        if (Set.copyOf(numbers).size() < numbers.size()) {
            throw new IllegalArgumentException("device is " + device + " but must name each GPU once");
        }
    }

    /**
     * Refuses more than one device, too.
     *
     * @param command that has use for one only
     * @throws IllegalArgumentException naming the option and what it may be
     */
    void checkSingle(String command) {
        check();
        if (numbers().size() > 1) {
            throw new IllegalArgumentException(command + " measures one device: device is " + device
                    + " but must be one of them, such as cuda:" + numbers().getFirst());
        }
    }

    /** How each GPU is used, in the order in which they are named. */
    List<CudaOptions> gpus() {
        return numbers().stream()
                .map(number -> new CudaOptions(number, memoryFraction, cudaGraphs, CudaOptions.DEFAULT.stepTokens()))
                .toList();
    }

    /** How the only GPU is used. */
    CudaOptions cuda() {
        return gpus().getFirst();
    }

    /** The number of the only GPU; empty for the CPU. */
    OptionalInt gpu() {
        return isCuda() ? OptionalInt.of(numbers().getFirst()) : OptionalInt.empty();
    }

    private List<Integer> numbers() {
        List<Integer> named = NUMBER.matcher(device)
                .results()
                .map(number -> Integer.valueOf(number.group()))
                .toList();
        return named.isEmpty() ? List.of(CudaOptions.DEFAULT.device()) : named;
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
}
