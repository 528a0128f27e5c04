package dev.weir.onnx;

/**
 * How a model uses a GPU. Immutable; any thread.
 *
 * @param device its number, as the driver counts
 * @param memoryFraction share of its memory that this process may use in all
 * @param graphs whether decoding is recorded once per number of rows and replayed (CUDA graphs)
 * @param stepTokens tokens that a step computes at most
 */
public record CudaOptions(int device, double memoryFraction, boolean graphs, int stepTokens) {
    public static final CudaOptions DEFAULT = new CudaOptions(0, 0.9, true, 16_384);

    public CudaOptions {
        check(device >= 0, "device", device, "at least 0");
        check(
                memoryFraction > 0 && memoryFraction <= 1,
                "gpu-memory-fraction",
                memoryFraction,
                "above 0 and at most 1");
        check(stepTokens >= 1, "step-tokens", stepTokens, "at least 1");
    }

    public CudaOptions withGraphs(boolean value) {
        return new CudaOptions(device, memoryFraction, value, stepTokens);
    }

    private static void check(boolean valid, String setting, double value, String range) {
        if (!valid) {
            throw new IllegalArgumentException(setting + " is " + value + " but must be " + range);
        }
    }
}
