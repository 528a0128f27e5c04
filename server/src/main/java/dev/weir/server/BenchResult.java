package dev.weir.server;

import java.util.List;
import java.util.Optional;

/**
 * What all contenders took for one load. Immutable.
 *
 * @param threads threads of the CPU that computed; 0 on a GPU
 * @param rows the bare loop, the engine, then the peers
 * @param gpu what a GPU moved, where one computed
 */
record BenchResult(BenchLoad load, int threads, List<BenchRow> rows, Optional<BenchGpu> gpu) {
    /** What computed, in words. */
    String device() {
        return threads == 0 ? "on the GPU" : threads + " threads";
    }

    /** What the others are compared with. */
    BenchRow engine() {
        return rows.get(1);
    }
}
