package dev.weir.loadtest;

import java.util.Locale;

/** A report as aligned lines for a terminal. */
final class ReportText {

    private static final double BUSY = 0.7;

    private ReportText() {}

    static String write(Report report) {
        StringBuilder out = new StringBuilder();
        out.append(report.target()).append('\n');
        out.append(report.load());
        out.append(String.format(
                Locale.ROOT, ", measured for %.1f s", report.window().toNanos() / 1e9));
        if (!report.warmUp().isZero()) {
            out.append(" after ").append(Durations.format(report.warmUp())).append(" of warm-up");
        }
        out.append("\n\n");
        requests(report, out);
        line(
                out,
                "throughput",
                "%,.1f output tokens/s   %,.2f requests/s   %,.1f prompt tokens/s",
                report.tokensPerSecond(),
                report.requestsPerSecond(),
                report.inputTokensPerSecond());
        if (report.outputTokens() > 0 || report.requests().done() > 0) {
            tokens(report, out);
            latencies(report, out);
        }
        client(report, out);
        errors(report, out);
        return out.toString();
    }

    private static void requests(Report report, StringBuilder out) {
        Report.Requests requests = report.requests();
        line(
                out,
                "requests",
                "%,d done   %,d failed   %,d cancelled (under way at the end)%s",
                requests.done(),
                requests.failed(),
                requests.cancelled(),
                requests.droppedArrivals() == 0
                        ? ""
                        : String.format(Locale.ROOT, "   %,d arrivals dropped", requests.droppedArrivals()));
        if (requests.waiting() > 0) {
            line(
                    out,
                    "",
                    "%,d of the cancelled still waited for a first token, the longest for %s ms",
                    requests.waiting(),
                    millis(requests.longestWaitMillis()));
        }
        if (requests.failedInWarmUp() > 0) {
            line(out, "", "%,d more failed during the warm-up, which is not counted", requests.failedInWarmUp());
        }
    }

    private static void tokens(Report report, StringBuilder out) {
        Report.Lengths lengths = report.lengths();
        String length = lengths.fewest() == lengths.most()
                ? String.format(Locale.ROOT, "%,d per answer", lengths.most())
                : String.format(
                        Locale.ROOT, "%,.1f per answer (%,d to %,d)", lengths.mean(), lengths.fewest(), lengths.most());
        line(out, "tokens", "%,.0f output, %s; %s", report.outputTokens(), length, counting(report));
        if (isCoalesced(report)) {
            line(
                    out,
                    "",
                    "deltas carry %.2f tokens on average, so ITL divides each gap among its tokens",
                    report.tokensPerDelta());
        }
    }

    private static boolean isCoalesced(Report report) {
        return report.tokensPerDelta() > 1.0005;
    }

    private static String counting(Report report) {
        if (!report.hasUsage()) {
            return "no usage from the server, so one per delta (a delta may carry several)";
        }
        double share = report.outputTokens() == 0 ? 0 : report.estimatedTokens() / report.outputTokens();
        return share < 0.0005
                ? "exact by the server's usage"
                : String.format(
                        Locale.ROOT,
                        "exact by the server's usage but for %.1f%% of answers cut off, by delta",
                        100 * share);
    }

    private static void latencies(Report report, StringBuilder out) {
        out.append(String.format(
                Locale.ROOT,
                "%n%-12s%10s%10s%10s%10s%10s%12s%n",
                "latency ms",
                "p50",
                "p90",
                "p95",
                "p99",
                "max",
                "samples"));
        latency(out, "TTFT", report.timeToFirstToken());
        latency(out, "ITL", report.interTokenLatency());
        if (isCoalesced(report)) {
            latency(out, "delta gap", report.deltaGap());
        }
        latency(out, "TPOT", report.timePerOutputToken());
        latency(out, "E2E", report.endToEnd());
        if (report.connect().count() > 0) {
            latency(out, "connect", report.connect());
        }
    }

    private static void latency(StringBuilder out, String name, Report.Latency latency) {
        if (latency.count() == 0) {
            out.append(String.format(
                    Locale.ROOT, "  %-10s%10s%10s%10s%10s%10s%12s%n", name, "-", "-", "-", "-", "-", "0"));
        } else {
            out.append(String.format(
                    Locale.ROOT,
                    "  %-10s%10s%10s%10s%10s%10s%,12d%n",
                    name,
                    millis(latency.p50()),
                    millis(latency.p90()),
                    millis(latency.p95()),
                    millis(latency.p99()),
                    millis(latency.max()),
                    latency.count()));
        }
    }

    private static void client(Report report, StringBuilder out) {
        Report.ClientCost cost = report.clientCost();
        out.append('\n');
        line(
                out,
                "client",
                "%.2f cores, event loop %.0f%% busy, %.1f us per delta",
                cost.cores(),
                100 * cost.eventLoopShare(),
                cost.microsPerDelta());
        if (cost.eventLoopShare() > BUSY) {
            line(out, "", "the load tester is near its limit: its own delays are part of these latencies");
        }
    }

    private static void errors(Report report, StringBuilder out) {
        if (report.errors().isEmpty()) {
            return;
        }
        out.append(String.format(Locale.ROOT, "%n%-12s%10s%n", "errors", "count"));
        for (Report.ErrorLine error : report.errors()) {
            String name =
                    error.code().isEmpty() ? error.kind().label() : error.kind().label() + " " + error.code();
            out.append(String.format(Locale.ROOT, "  %-30s %,8d  %s%n", name, error.count(), error.message()));
        }
    }

    /** Three or four significant digits. */
    static String millis(double millis) {
        String form = millis < 10 ? "%.3f" : millis < 100 ? "%.2f" : millis < 1000 ? "%.1f" : "%,.0f";
        return String.format(Locale.ROOT, form, millis);
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation is in a library that nothing else here needs
    private static void line(StringBuilder out, String label, String form, Object... values) {
        out.append(String.format(Locale.ROOT, "%-12s", label));
        out.append(String.format(Locale.ROOT, form, values)).append('\n');
    }
}
