package dev.weir.loadtest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a run must keep to pass; null = not asked for. A latency that was asked for and never measured is missed: a
 * server that answers nothing must not pass.
 *
 * @param maxErrorRate failed and dropped requests among all that ended, 0 to 1
 */
record Thresholds(
        @Nullable Double maxErrorRate,
        @Nullable Duration maxTtftP99,
        @Nullable Duration maxItlP99,
        @Nullable Double minTokensPerSecond) {

    public Thresholds {
        if (maxErrorRate != null && !(maxErrorRate >= 0 && maxErrorRate <= 1)) {
            throw new IllegalArgumentException(
                    "--max-error-rate must be between 0 and 1 or 0% and 100%, not " + maxErrorRate);
        }
        if (minTokensPerSecond != null && !(minTokensPerSecond >= 0)) {
            throw new IllegalArgumentException(
                    "--min-tokens-per-second must not be negative, but is " + minTokensPerSecond);
        }
    }

    /** One line for each threshold missed, which names its option. A run without a single answer misses by itself. */
    List<String> missed(Report report) {
        List<String> missed = new ArrayList<>();
        Report.Requests requests = report.requests();
        if (maxErrorRate != null && requests.errorRate() > maxErrorRate) {
            missed.add(String.format(
                    Locale.ROOT,
                    "--max-error-rate %s missed: %.4f (%,d failed and %,d dropped, %,d done)",
                    maxErrorRate,
                    requests.errorRate(),
                    requests.failed(),
                    requests.droppedArrivals(),
                    requests.done()));
        }
        latency("--max-ttft-p99", maxTtftP99, report.timeToFirstToken(), missed);
        latency("--max-itl-p99", maxItlP99, report.interTokenLatency(), missed);
        if (minTokensPerSecond != null && report.tokensPerSecond() < minTokensPerSecond) {
            missed.add(String.format(
                    Locale.ROOT,
                    "--min-tokens-per-second %s missed: %,.1f",
                    minTokensPerSecond,
                    report.tokensPerSecond()));
        }
        if (missed.isEmpty() && requests.done() == 0 && requests.failed() > 0) {
            missed.add("no request succeeded");
        }
        return missed;
    }

    private static void latency(String option, @Nullable Duration most, Report.Latency latency, List<String> missed) {
        if (most == null) {
            return;
        }
        if (latency.count() == 0) {
            missed.add(option + " " + Durations.format(most) + " missed: nothing was measured");
        } else if (latency.p99() > most.toNanos() / 1e6) {
            missed.add(option + " " + Durations.format(most) + " missed: " + ReportText.millis(latency.p99()) + " ms");
        }
    }
}
