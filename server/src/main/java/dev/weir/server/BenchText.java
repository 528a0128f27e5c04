package dev.weir.server;

import java.io.PrintWriter;
import java.util.Locale;

/** Results as tables, one load at a time. Used by one thread. */
final class BenchText {
    private static final String HEAD =
            "sequences  contender        generated tok/s  (least-most)       TTFT p50/p99 ms     ITL p50/p99 ms   engine over it";

    private final PrintWriter out;
    private boolean hasHead;

    BenchText(PrintWriter out) {
        this.out = out;
    }

    /** One prompt alone, by the time to its first token. */
    void prefill(BenchResult result) {
        int tokens = result.load().promptTokens();
        out.println("one prompt of " + tokens + " tokens, " + result.device());
        out.println("           contender          prefill tok/s  (least-most)      engine over it");
        for (BenchRow row : result.rows()) {
            out.println(String.format(
                    Locale.ROOT,
                    "           %-12s  %18s  %s",
                    row.contender(),
                    whole(row.prefillTokensPerSecond(tokens)),
                    ratio(row.ratioOf(result.engine(), BenchRow::prefillSpeeds))));
        }
        out.flush();
    }

    /** Sequences together. */
    void generation(BenchResult result) {
        BenchLoad load = result.load();
        if (!hasHead) {
            out.println(
                    load.promptTokens() + " prompt tokens, " + load.newTokens() + " new tokens, " + result.device());
            out.println(HEAD);
            hasHead = true;
        }
        for (BenchRow row : result.rows()) {
            out.println(String.format(
                    Locale.ROOT,
                    "%9d  %-12s  %27s  %20s  %17s  %s",
                    load.sequences(),
                    row.contender(),
                    whole(row.tokensPerSecond()),
                    millis(row.firstTokenMillis(0.5), row.firstTokenMillis(0.99)),
                    millis(row.gapMillis(0.5), row.gapMillis(0.99)),
                    ratio(row.ratioOf(result.engine(), BenchRow::speeds))));
        }
        result.gpu().ifPresent(gpu -> out.println("           " + gpu.line()));
        for (BenchRow row : result.rows()) {
            row.traffic()
                    .ifPresent(step -> out.println("           " + row.contender() + ": a step sends " + step.sent()
                            + " bytes to the GPU and fetches " + step.fetched()));
        }
        out.flush();
    }

    private static String whole(BenchRow.Spread speed) {
        return String.format(Locale.ROOT, "%.0f  (%.0f-%.0f)", speed.median(), speed.least(), speed.most());
    }

    private static String millis(double half, double nearlyAll) {
        return String.format(Locale.ROOT, "%.1f/%.1f", half, nearlyAll);
    }

    private static String ratio(BenchRow.Spread ratio) {
        return String.format(Locale.ROOT, "%6.2f  (%.2f-%.2f)", ratio.median(), ratio.least(), ratio.most());
    }
}
