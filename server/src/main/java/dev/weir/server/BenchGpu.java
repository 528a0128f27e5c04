package dev.weir.server;

import dev.weir.onnx.PagedModelRunner;
import java.util.Locale;

/**
 * How fast a GPU decoded one load, and how that compares with the least that it must do: a step reads all weights and all keys
 * and values once. Immutable.
 *
 * @param stepSeconds median time between two tokens in the bare loop
 * @param weightBytes of the model's file
 * @param cacheBytes keys and values that a step reads, halfway through the answers
 * @param bandwidth bytes a second of a large copy within the device, read and written
 * @param freeBytes of the device
 */
record BenchGpu(double stepSeconds, long weightBytes, long cacheBytes, double bandwidth, long freeBytes) {
    /** Takes the figures of a load that was measured. */
    static BenchGpu of(PagedModelRunner runner, BenchLoad load, BenchRow bare) {
        double[] gaps = bare.turns().stream()
                .flatMapToLong(times -> times.gaps())
                .mapToDouble(nanos -> nanos / 1e9)
                .sorted()
                .toArray();
        return new BenchGpu(
                gaps[gaps.length / 2],
                runner.fileBytes(),
                (long) load.sequences()
                        * (load.promptTokens() + load.newTokens() / 2)
                        * runner.blockBytes()
                        / runner.blockTokens(),
                runner.copyBandwidth(),
                runner.freeBytes());
    }

    /** Share of the bandwidth that decoding reached. */
    double rooflineShare() {
        return (weightBytes + cacheBytes) / bandwidth / stepSeconds;
    }

    String line() {
        return String.format(
                Locale.ROOT,
                "step %.3f ms, %.2f of the memory roofline (weights %.2f GB, cache %.2f GB, copies at %.2f TB/s)",
                stepSeconds * 1e3,
                rooflineShare(),
                weightBytes / 1e9,
                cacheBytes / 1e9,
                bandwidth / 1e12);
    }
}
