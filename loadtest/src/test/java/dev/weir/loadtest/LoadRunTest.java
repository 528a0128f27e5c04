package dev.weir.loadtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LoadRunTest {

    private static final Outcome REFUSED = new Outcome.Failed(ErrorKind.HTTP_STATUS, "500", "no");

    private final ManualClock clock = new ManualClock();
    private final LatencyRecorder recorder = new LatencyRecorder();
    private final List<Long> starts = new ArrayList<>();
    private final List<String> turns = new ArrayList<>();

    private LoadRun run(
            LoadShape shape,
            long warmUpMillis,
            @Nullable Long durationMillis,
            @Nullable Long requests,
            ScriptedClient.Script script) {
        LoadRun.Limits limits = new LoadRun.Limits(
                Duration.ofMillis(warmUpMillis),
                durationMillis == null ? null : Duration.ofMillis(durationMillis),
                requests,
                Duration.ofSeconds(60));
        return new LoadRun(
                clock,
                shape,
                limits,
                () -> new ScriptedClient(clock, script),
                index -> {
                    starts.add(clock.nanoTime() / 1_000_000);
                    return "body";
                },
                recorder,
                (_, _) -> {},
                new LoadRun.Observer() {
                    @Override
                    public void windowOpened() {
                        turns.add("opened at " + clock.nanoTime() / 1_000_000);
                    }

                    @Override
                    public void windowClosed() {
                        turns.add("closed at " + clock.nanoTime() / 1_000_000);
                    }

                    @Override
                    public void finished() {
                        turns.add("finished");
                    }
                });
    }

    private Report report() {
        return Report.of(
                "",
                "",
                Duration.ZERO,
                recorder.windowNanos(clock.nanoTime()),
                recorder,
                new Report.ClientCost(0, 0, 0));
    }

    @Test
    void scriptedDelaysComeBackAsLatencies() {
        run(new ClosedLoad(1, Duration.ZERO), 0, null, 1L, ScriptedClient.Script.steady(80, 10, 21))
                .start();
        clock.advanceMillis(1000);

        Report report = report();
        assertThat(turns).containsExactly("opened at 0", "closed at 280", "finished");
        assertThat(report.timeToFirstToken().p50()).isCloseTo(80, within(0.1));
        assertThat(report.interTokenLatency().count()).isEqualTo(20);
        assertThat(report.interTokenLatency().max()).isCloseTo(10, within(0.02));
        assertThat(report.timePerOutputToken().p50()).isCloseTo(10, within(0.02));
        assertThat(report.endToEnd().max()).isCloseTo(280, within(0.3));
        assertThat(report.outputTokens()).isEqualTo(21);
        assertThat(report.inputTokens()).isEqualTo(7);
        assertThat(report.tokensPerSecond()).isCloseTo(21 / 0.28, within(1e-6));
    }

    @Test
    void closedUsersSendWhenTheirLastAnswerEnded() {
        run(new ClosedLoad(3, Duration.ZERO), 0, 1000L, null, ScriptedClient.Script.steady(50, 10, 6))
                .start();
        clock.advanceMillis(5000);

        // Each answer takes 100 ms. The tenth round would end as the window closes, which comes first.
        assertThat(recorder.done() + recorder.cancelled()).isEqualTo(30);
        assertThat(recorder.done()).isEqualTo(27);
        assertThat(starts).hasSize(30);
        assertThat(starts.get(3)).isEqualTo(100);
        assertThat(turns).containsExactly("opened at 0", "closed at 1000", "finished");
    }

    @Test
    void rampSpreadsTheFirstRequests() {
        run(new ClosedLoad(4, Duration.ofMillis(400)), 100, 1000L, null, ScriptedClient.Script.steady(5000, 1, 2))
                .start();
        clock.advanceMillis(2000);

        assertThat(starts).containsExactly(0L, 100L, 200L, 300L);
        assertThat(turns).containsExactly("opened at 500", "closed at 1500", "finished");
    }

    @Test
    void warmUpTokensAreNotCounted() {
        // One answer of 100 tokens, 10 ms apart, from 10 ms on: those at 500 to 1000 ms are inside the window.
        run(new ClosedLoad(1, Duration.ZERO), 500, 505L, null, ScriptedClient.Script.steady(10, 10, 100))
                .start();
        clock.advanceMillis(2000);

        assertThat(recorder.done()).isEqualTo(1);
        assertThat(report().outputTokens()).isCloseTo(51, within(1e-6));
        assertThat(recorder.interTokenLatency.getTotalCount()).isEqualTo(51);
        assertThat(recorder.timeToFirstToken.getTotalCount()).isZero();
    }

    @Test
    void openArrivalsAreNotDelayedBySlowAnswers() {
        OpenLoad fast = new OpenLoad(100, 10_000, Duration.ZERO, 42);
        run(fast, 0, 2000L, null, ScriptedClient.Script.steady(1, 1, 2)).start();
        clock.advanceMillis(3000);
        List<Long> whenFast = List.copyOf(starts);
        starts.clear();
        long began = clock.nanoTime() / 1_000_000;

        LoadRunTest slow = new LoadRunTest();
        slow.run(fast, 0, 2000L, null, ScriptedClient.Script.steady(50_000, 1, 2))
                .start();
        slow.clock.advanceMillis(3000);

        assertThat(began).isEqualTo(3000);
        assertThat(slow.starts).isEqualTo(whenFast);
        assertThat(whenFast).hasSizeBetween(150, 250);
        assertThat(slow.recorder.done()).isZero();
        assertThat(slow.recorder.cancelled()).isEqualTo(whenFast.size());
        assertThat(slow.recorder.waitingForFirstToken()).isEqualTo(whenFast.size());
        assertThat(slow.recorder.longestWaitNanos() / 1e6).isBetween(1900.0, 2000.0);
    }

    @Test
    void latencyCountsFromTheIntendedStart() {
        OpenLoad load = new OpenLoad(10, 10, Duration.ZERO, 1);
        run(load, 0, null, 1L, ScriptedClient.Script.steady(20, 1, 1)).start();
        // A client that is stuck for a second notices the arrival late; the request's latency must show it.
        StuckClock stuck = new StuckClock();
        LatencyRecorder late = new LatencyRecorder();
        LoadRun lateRun = new LoadRun(
                stuck,
                load,
                new LoadRun.Limits(Duration.ZERO, null, 1L, Duration.ofSeconds(60)),
                () -> new ScriptedClient(stuck, ScriptedClient.Script.steady(20, 1, 1)),
                _ -> "body",
                late,
                (_, _) -> {},
                new LoadRun.Observer() {
                    @Override
                    public void windowOpened() {}

                    @Override
                    public void windowClosed() {}

                    @Override
                    public void finished() {}
                });
        lateRun.start();
        clock.advanceMillis(5000);
        stuck.advanceMillis(10_000);

        assertThat(recorder.endToEnd.getMaxValue() / 1e6).isCloseTo(20, within(0.1));
        assertThat(late.endToEnd.getTotalCount()).isEqualTo(1);
        assertThat(late.endToEnd.getMaxValue() / 1e6).isCloseTo(1020, within(1.0));
        assertThat(late.timeToFirstToken.getMaxValue() / 1e6).isCloseTo(1020, within(1.0));
    }

    /** Runs the first task, the load's first arrival, a second late. */
    private static final class StuckClock implements LoadClock {
        private final ManualClock inner = new ManualClock();
        private boolean isStuck = true;

        @Override
        public long nanoTime() {
            return inner.nanoTime();
        }

        @Override
        public void schedule(long delayNanos, Runnable task) {
            // The run's own sweep is scheduled with half a second exactly.
            boolean isArrival = isStuck && delayNanos != 500_000_000L;
            if (isArrival) {
                isStuck = false;
            }
            inner.schedule(isArrival ? delayNanos + 1_000_000_000L : delayNanos, task);
        }

        void advanceMillis(long millis) {
            inner.advanceMillis(millis);
        }
    }

    @Test
    void arrivalsBeyondTheLimitAreDroppedAndCounted() {
        run(new OpenLoad(100, 5, Duration.ZERO, 7), 0, 1000L, null, ScriptedClient.Script.steady(10_000, 1, 1))
                .start();
        clock.advanceMillis(2000);

        assertThat(starts).hasSize(5);
        assertThat(recorder.droppedArrivals()).isBetween(60L, 130L);
        assertThat(report().requests().errorRate()).isEqualTo(1);
    }

    @Test
    void requestsEndTheRunWhenTheLastIsAnswered() {
        run(new ClosedLoad(4, Duration.ZERO), 0, null, 10L, ScriptedClient.Script.steady(100, 10, 1))
                .start();
        clock.advanceMillis(10_000);

        assertThat(recorder.done()).isEqualTo(10);
        assertThat(recorder.cancelled()).isZero();
        assertThat(turns).containsExactly("opened at 0", "closed at 300", "finished");
    }

    @Test
    void requestsOfTheWarmUpAreFree() {
        run(new ClosedLoad(1, Duration.ZERO), 1000, null, 3L, ScriptedClient.Script.steady(300, 1, 1))
                .start();
        clock.advanceMillis(10_000);

        assertThat(starts).hasSize(4 + 3);
        assertThat(turns).containsExactly("opened at 1000", "closed at 2100", "finished");
        assertThat(recorder.done()).as("with the one that began in the warm-up").isEqualTo(4);
    }

    @Test
    void slowRequestsTimeOut() {
        run(new ClosedLoad(1, Duration.ZERO), 0, 100_000L, null, ScriptedClient.Script.steady(90_000, 1, 1))
                .start();
        clock.advanceMillis(61_000);

        assertThat(recorder.failed()).isEqualTo(1);
        assertThat(recorder.errors()).containsOnlyKeys(new LatencyRecorder.ErrorKey(ErrorKind.TIMEOUT, ""));
        clock.advanceMillis(100_000);
        assertThat(turns).contains("finished");
        assertThat(recorder.cancelled()).isEqualTo(1);
    }

    @Test
    void failingUsersPauseLongerAndLonger() {
        run(new ClosedLoad(1, Duration.ZERO), 0, 5000L, null, new ScriptedClient.Script(1, 1, 0, -1, REFUSED))
                .start();
        clock.advanceMillis(6000);

        assertThat(starts).containsExactly(0L, 101L, 302L, 703L, 1504L, 3105L);
        assertThat(recorder.failed()).isEqualTo(6);
    }

    @Test
    void stoppingEarlyCancelsAndReports() {
        LoadRun run =
                run(new ClosedLoad(2, Duration.ZERO), 0, 60_000L, null, ScriptedClient.Script.steady(10, 10, 1000));
        run.start();
        clock.advanceMillis(500);
        run.stop();
        run.stop();
        clock.advanceMillis(60_000);

        assertThat(turns).containsExactly("opened at 0", "closed at 500", "finished");
        assertThat(recorder.cancelled()).isEqualTo(2);
        assertThat(report().outputTokens()).as("by delta, as no usage came").isEqualTo(100);
        assertThat(report().hasUsage()).isFalse();
        assertThat(run.inFlight()).isZero();
    }
}
