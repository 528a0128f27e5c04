package dev.weir.loadtest;

import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * The measurements of a run: histograms of latency, counts of requests, tokens and errors. Owner: the thread of the
 * run.
 *
 * <p>One rule settles what belongs to the measured window: each thing counts by the moment at which it was seen. A
 * delta counts for throughput and for inter-token latency when it arrives inside, a first token for TTFT when it
 * arrives inside, a request for its outcome, E2E and TPOT when it ends inside. In a steady load this neither favours
 * short answers nor long ones, provided the warm-up is as long as an answer.
 *
 * <p>Tokens against deltas: a server may put several tokens into one delta (a slow reader, half a character). The
 * server's final count n over d deltas says how many each carried on average, w = n/d. Each delta then counts w tokens,
 * and each gap g counts as w gaps of g/w, so that the mean of the inter-token latency stays what a delta-per-token
 * stream would give. A request cut off at the end of the run has no final count and takes the average of the others.
 */
final class LatencyRecorder {

    private static final long LOWEST_NANOS = 1_000;
    private static final long HIGHEST_NANOS = 24L * 3600 * 1_000_000_000;
    private static final int MAX_CODES = 32;

    /** What errors are counted by. */
    record ErrorKey(ErrorKind kind, String code) {}

    /** How often an error came, and the text of the first. */
    record ErrorCount(long count, String message) {}

    final Histogram timeToFirstToken = newHistogram();
    final Histogram interTokenLatency = newHistogram();
    /** The same gaps undivided: what a reader of a stream of coalesced deltas waits. */
    final Histogram deltaGap = newHistogram();

    final Histogram timePerOutputToken = newHistogram();
    final Histogram endToEnd = newHistogram();
    /** Of the whole run, as most connections are opened in its first moments. */
    final Histogram connect = newHistogram();

    private long openNanos = Long.MAX_VALUE;
    private long closeNanos = Long.MAX_VALUE;

    private long done;
    private long failed;
    private long cancelled;
    private long dropped;
    private long warmUpFailed;
    private final Map<ErrorKey, ErrorCount> errors = new LinkedHashMap<>();

    // Tokens: those of requests with the server's count, and deltas of those without one.
    private double countedTokens;
    private long uncountedDeltas;
    private long liveDeltas;
    private long inputTokens;
    private long answerTokensOfDone;
    private int fewestTokens = Integer.MAX_VALUE;
    private int mostTokens;
    private long finishedTokens;
    private long finishedDeltas;

    // At the end of the run.
    private long waitingForFirstToken;
    private long longestWaitNanos;

    void openWindow(long nowNanos) {
        openNanos = nowNanos;
    }

    void closeWindow(long nowNanos) {
        closeNanos = nowNanos;
    }

    private boolean isInWindow(long nanos) {
        return nanos >= openNanos && nanos <= closeNanos;
    }

    void connected(RequestTrace trace) {
        if (trace.connectNanos > 0) {
            record(connect, trace.connectNanos, 1);
        }
    }

    void delta(RequestTrace trace, long nowNanos) {
        boolean isFirst = trace.deltas == 0;
        trace.deltas++;
        if (isInWindow(nowNanos)) {
            liveDeltas++;
            trace.deltasInWindow++;
            if (isFirst) {
                record(timeToFirstToken, nowNanos - trace.startNanos, 1);
            } else {
                trace.addGap(nowNanos - trace.lastDeltaNanos);
            }
        }
        if (isFirst) {
            trace.firstDeltaNanos = nowNanos;
        }
        trace.lastDeltaNanos = nowNanos;
    }

    /** Takes a request that has an outcome and an end. */
    void finished(RequestTrace trace, Outcome outcome) {
        double tokensPerDelta = 1;
        if (trace.outputTokens >= 0) {
            if (trace.deltas > 0) {
                tokensPerDelta = trace.outputTokens / (double) trace.deltas;
                countedTokens += tokensPerDelta * trace.deltasInWindow;
            } else if (isInWindow(trace.endNanos)) {
                countedTokens += trace.outputTokens;
            }
            finishedTokens += trace.outputTokens;
            finishedDeltas += trace.deltas;
        } else {
            uncountedDeltas += trace.deltasInWindow;
            if (outcome instanceof Outcome.Cancelled) {
                tokensPerDelta = tokensPerDelta();
            }
        }
        recordGaps(trace, Math.max(1, tokensPerDelta));
        if (!isInWindow(trace.endNanos)) {
            if (outcome instanceof Outcome.Failed && trace.endNanos < openNanos) {
                warmUpFailed++;
            }
            return;
        }
        switch (outcome) {
            case Outcome.Done _ -> done(trace);
            case Outcome.Failed failure -> failed(failure);
            case Outcome.Cancelled _ -> cut(trace);
        }
    }

    /** Takes a violation outside any request: a failure of its own. */
    void strayed(long nowNanos, Outcome.Failed violation) {
        if (isInWindow(nowNanos)) {
            failed(violation);
        }
    }

    void dropped(long nowNanos) {
        if (isInWindow(nowNanos)) {
            dropped++;
        }
    }

    private void done(RequestTrace trace) {
        done++;
        record(endToEnd, trace.endNanos - trace.startNanos, 1);
        int tokens = trace.tokens();
        if (tokens > 1 && trace.firstDeltaNanos != RequestTrace.UNSET) {
            record(timePerOutputToken, (trace.endNanos - trace.firstDeltaNanos) / (tokens - 1), 1);
        }
        answerTokensOfDone += tokens;
        fewestTokens = Math.min(fewestTokens, tokens);
        mostTokens = Math.max(mostTokens, tokens);
        inputTokens += Math.max(0, trace.inputTokens);
    }

    private void failed(Outcome.Failed failure) {
        failed++;
        ErrorKey key = new ErrorKey(failure.kind(), failure.code());
        if (errors.size() >= MAX_CODES && !errors.containsKey(key)) {
            key = new ErrorKey(failure.kind(), "other");
        }
        errors.merge(
                key, new ErrorCount(1, failure.message()), (old, _) -> new ErrorCount(old.count() + 1, old.message()));
    }

    private void cut(RequestTrace trace) {
        cancelled++;
        if (trace.deltas == 0) {
            waitingForFirstToken++;
            longestWaitNanos = Math.max(longestWaitNanos, trace.endNanos - trace.startNanos);
        }
    }

    /**
     * Records the gaps as if each delta had carried {@code weight} tokens. Counts are whole, so the fraction is carried
     * over from gap to gap.
     */
    private void recordGaps(RequestTrace trace, double weight) {
        double owed = 0;
        for (int i = 0; i < trace.gapCount(); i++) {
            owed += weight;
            long count = (long) (owed + 1e-9);
            owed -= count;
            record(deltaGap, trace.gap(i), 1);
            record(interTokenLatency, Math.round(trace.gap(i) / weight), count);
        }
    }

    private static void record(Histogram histogram, long nanos, long count) {
        histogram.recordValueWithCount(Math.min(HIGHEST_NANOS, Math.max(0, nanos)), count);
    }

    private static Histogram newHistogram() {
        return new Histogram(LOWEST_NANOS, HIGHEST_NANOS, 3);
    }

    long done() {
        return done;
    }

    long failed() {
        return failed;
    }

    long cancelled() {
        return cancelled;
    }

    long droppedArrivals() {
        return dropped;
    }

    long warmUpFailed() {
        return warmUpFailed;
    }

    Map<ErrorKey, ErrorCount> errors() {
        return errors;
    }

    /** Deltas inside the window so far, for a progress line. */
    long liveDeltas() {
        return liveDeltas;
    }

    long inputTokens() {
        return inputTokens;
    }

    /** Tokens of all answers that were received whole inside the window. */
    long answerTokensOfDone() {
        return answerTokensOfDone;
    }

    int fewestTokens() {
        return done == 0 ? 0 : fewestTokens;
    }

    int mostTokens() {
        return mostTokens;
    }

    /** Tokens per delta over all answers with the server's count; 1 when there is none. */
    double tokensPerDelta() {
        return finishedDeltas == 0 ? 1 : finishedTokens / (double) finishedDeltas;
    }

    boolean hasServerCount() {
        return finishedTokens > 0;
    }

    /** Output tokens that arrived in the window from answers the server has counted. */
    double countedTokens() {
        return countedTokens;
    }

    /** Output tokens that arrived in the window from answers without a count, by their deltas. */
    double estimatedTokens() {
        return uncountedDeltas * tokensPerDelta();
    }

    long waitingForFirstToken() {
        return waitingForFirstToken;
    }

    long longestWaitNanos() {
        return longestWaitNanos;
    }

    /** The measured window so far, in nanoseconds. */
    long windowNanos(long nowNanos) {
        return openNanos == Long.MAX_VALUE ? 0 : Math.min(nowNanos, closeNanos) - openNanos;
    }
}
