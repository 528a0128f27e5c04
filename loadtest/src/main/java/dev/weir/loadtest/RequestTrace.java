package dev.weir.loadtest;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The times and counts of one request as its client saw them, in nanoseconds of the run's clock. Owner: one virtual
 * user, which refills it for each request.
 */
final class RequestTrace {

    static final long UNSET = Long.MIN_VALUE;

    long index;
    /** What latencies count from: the intended start in an open load, the moment of sending in a closed one. */
    long startNanos;

    long sentNanos;
    long connectNanos;
    long firstDeltaNanos;
    long lastDeltaNanos;
    long endNanos;
    int deltas;
    /** Deltas that arrived inside the measured window. */
    int deltasInWindow;
    /** By the server's count; -1 when it gave none. */
    int inputTokens;

    int outputTokens;

    @Nullable
    Outcome outcome;

    /** Gaps between deltas, for those whose second delta arrived inside the measured window. */
    private long[] gaps = new long[64];

    private int gapCount;

    void begin(long newIndex, long newStartNanos) {
        index = newIndex;
        startNanos = newStartNanos;
        sentNanos = UNSET;
        connectNanos = 0;
        firstDeltaNanos = UNSET;
        lastDeltaNanos = UNSET;
        endNanos = UNSET;
        deltas = 0;
        deltasInWindow = 0;
        inputTokens = -1;
        outputTokens = -1;
        outcome = null;
        gapCount = 0;
    }

    void addGap(long nanos) {
        if (gapCount == gaps.length) {
            gaps = Arrays.copyOf(gaps, gaps.length * 2);
        }
        gaps[gapCount++] = nanos;
    }

    int gapCount() {
        return gapCount;
    }

    long gap(int i) {
        return gaps[i];
    }

    /** Tokens of the answer: the server's count where there is one, otherwise one per delta. */
    int tokens() {
        return outputTokens >= 0 ? outputTokens : deltas;
    }
}
