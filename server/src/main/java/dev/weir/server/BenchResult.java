package dev.weir.server;

import java.util.List;

/**
 * What all contenders took for one load. Immutable.
 *
 * @param threads threads that computed
 * @param rows the bare loop, the engine, then the peers
 */
record BenchResult(BenchLoad load, int threads, List<BenchRow> rows) {
    /** What the others are compared with. */
    BenchRow engine() {
        return rows.get(1);
    }
}
