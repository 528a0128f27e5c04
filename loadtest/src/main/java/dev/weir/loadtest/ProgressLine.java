package dev.weir.loadtest;

import java.io.PrintWriter;
import java.util.Locale;

/** One line of a terminal, rewritten twice a second, that says how a run fares. Owner: the thread of the run. */
final class ProgressLine {

    private static final long PERIOD_NANOS = 500_000_000;
    private static final int WIDTH = 78;

    private final PrintWriter terminal;
    private final LoadRun run;
    private final LatencyRecorder recorder;

    private boolean isCleared;
    private long startNanos;
    private long lastNanos;
    private long lastDeltas;

    ProgressLine(PrintWriter terminal, LoadRun run, LatencyRecorder recorder) {
        this.terminal = terminal;
        this.run = run;
        this.recorder = recorder;
    }

    void start() {
        startNanos = run.clock().nanoTime();
        lastNanos = startNanos;
        run.clock().schedule(PERIOD_NANOS, this::show);
    }

    /** Empties the line for good. */
    void clear() {
        isCleared = true;
        write("");
        terminal.print('\r');
        terminal.flush();
    }

    private void show() {
        if (isCleared) {
            return;
        }
        long now = run.clock().nanoTime();
        long deltas = recorder.liveDeltas();
        double rate = (deltas - lastDeltas) * recorder.tokensPerDelta() / ((now - lastNanos) / 1e9);
        write(line((now - startNanos) / 1e9, rate));
        lastNanos = now;
        lastDeltas = deltas;
        run.clock().schedule(PERIOD_NANOS, this::show);
    }

    private String line(double seconds, double tokensPerSecond) {
        if (!run.isMeasuring()) {
            return String.format(Locale.ROOT, "%.1f s  warming up  %,d in flight", seconds, run.inFlight());
        }
        return String.format(
                Locale.ROOT,
                "%.1f s  %,d in flight  %,d done  %,d failed  %,.0f tokens/s",
                seconds,
                run.inFlight(),
                recorder.done(),
                recorder.failed(),
                tokensPerSecond);
    }

    private void write(String line) {
        String fitted = line.length() > WIDTH ? line.substring(0, WIDTH) : line;
        terminal.print('\r' + fitted + " ".repeat(WIDTH - fitted.length()));
        terminal.flush();
    }
}
