package dev.weir.loadtest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * The result of a run, in the units people read: milliseconds and rates per second.
 *
 * @param target what was asked, in words
 * @param load how it was asked, in words
 * @param window the measured time
 * @param outputTokens tokens that arrived inside the window
 * @param estimatedTokens those of them that no usage confirmed: each delta of an answer that was cut off or uncounted
 * @param tokensPerDelta mean over the answers with a usage; above 1 the server put tokens together
 * @param hasUsage whether the server counted its tokens
 * @param interTokenLatency gaps between deltas, divided among the tokens that a delta carried
 * @param deltaGap the same gaps undivided
 */
record Report(
        String target,
        String load,
        Duration warmUp,
        Duration window,
        Requests requests,
        double outputTokens,
        double estimatedTokens,
        double tokensPerDelta,
        boolean hasUsage,
        long inputTokens,
        Lengths lengths,
        Latency timeToFirstToken,
        Latency interTokenLatency,
        Latency deltaGap,
        Latency timePerOutputToken,
        Latency endToEnd,
        Latency connect,
        List<ErrorLine> errors,
        ClientCost clientCost) {

    /**
     * Requests by how they ended. Cancelled ones were under way when the run ended; of these, {@code waiting} had not
     * got a first token, the longest of them for {@code longestWaitMillis}.
     */
    record Requests(
            long done,
            long failed,
            long cancelled,
            long droppedArrivals,
            long failedInWarmUp,
            long waiting,
            double longestWaitMillis) {

        /** Failed and dropped ones among all that reached an end; 0 when none did. */
        double errorRate() {
            long all = done + failed + droppedArrivals;
            return all == 0 ? 0 : (failed + droppedArrivals) / (double) all;
        }
    }

    /** Output tokens per answer. */
    record Lengths(int fewest, double mean, int most) {}

    /** A distribution in milliseconds; all zero when {@code count} is. */
    record Latency(long count, double mean, double p50, double p90, double p95, double p99, double max) {

        static Latency of(Histogram histogram) {
            long count = histogram.getTotalCount();
            if (count == 0) {
                return new Latency(0, 0, 0, 0, 0, 0, 0);
            }
            return new Latency(
                    count,
                    histogram.getMean() / 1e6,
                    histogram.getValueAtPercentile(50) / 1e6,
                    histogram.getValueAtPercentile(90) / 1e6,
                    histogram.getValueAtPercentile(95) / 1e6,
                    histogram.getValueAtPercentile(99) / 1e6,
                    histogram.getMaxValue() / 1e6);
        }
    }

    /** Errors of one kind and code, with the first one's message. */
    record ErrorLine(ErrorKind kind, String code, long count, String message) {}

    /**
     * What the load tester cost inside the window.
     *
     * @param cores processors its process kept busy
     * @param eventLoopShare how much of the time its one event loop was busy
     * @param microsPerDelta event-loop time for each delta, everything included
     */
    record ClientCost(double cores, double eventLoopShare, double microsPerDelta) {}

    double tokensPerSecond() {
        return perSecond(outputTokens);
    }

    double requestsPerSecond() {
        return perSecond((double) requests.done());
    }

    double inputTokensPerSecond() {
        return perSecond((double) inputTokens);
    }

    private double perSecond(double amount) {
        return window.isZero() ? 0 : amount / (window.toNanos() / 1e9);
    }

    static Report of(
            String target,
            String load,
            Duration warmUp,
            long windowNanos,
            LatencyRecorder recorder,
            ClientCost clientCost) {
        List<ErrorLine> errors = new ArrayList<>();
        recorder.errors()
                .forEach((key, value) ->
                        errors.add(new ErrorLine(key.kind(), key.code(), value.count(), value.message())));
        errors.sort((a, b) -> Long.compare(b.count(), a.count()));
        double meanLength = recorder.done() == 0 ? 0 : recorder.answerTokensOfDone() / (double) recorder.done();
        return new Report(
                target,
                load,
                warmUp,
                Duration.ofNanos(windowNanos),
                new Requests(
                        recorder.done(),
                        recorder.failed(),
                        recorder.cancelled(),
                        recorder.droppedArrivals(),
                        recorder.warmUpFailed(),
                        recorder.waitingForFirstToken(),
                        recorder.longestWaitNanos() / 1e6),
                recorder.countedTokens() + recorder.estimatedTokens(),
                recorder.estimatedTokens(),
                recorder.tokensPerDelta(),
                recorder.hasServerCount(),
                recorder.inputTokens(),
                new Lengths(recorder.fewestTokens(), meanLength, recorder.mostTokens()),
                Latency.of(recorder.timeToFirstToken),
                Latency.of(recorder.interTokenLatency),
                Latency.of(recorder.deltaGap),
                Latency.of(recorder.timePerOutputToken),
                Latency.of(recorder.endToEnd),
                Latency.of(recorder.connect),
                List.copyOf(errors),
                clientCost);
    }
}
