package dev.weir.loadtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LatencyRecorderTest {

    private static final long MILLI = 1_000_000;
    private static final Outcome DONE = new Outcome.Done("completed");

    private final LatencyRecorder recorder = new LatencyRecorder();

    /** A request of {@code deltas} deltas at 100, 110, 120 ... ms with this usage, ended with its last delta. */
    private RequestTrace request(int deltas, int outputTokens, Outcome outcome) {
        RequestTrace trace = new RequestTrace();
        trace.begin(0, 0);
        long at = 100 * MILLI;
        for (int i = 0; i < deltas; i++) {
            recorder.delta(trace, at);
            at += 10 * MILLI;
        }
        trace.endNanos = at - 10 * MILLI;
        trace.outputTokens = outputTokens;
        recorder.finished(trace, outcome);
        return trace;
    }

    @Test
    void gapsOfCoalescedDeltasCountPerToken() {
        recorder.openWindow(0);
        request(11, 33, DONE);

        assertThat(recorder.tokensPerDelta()).isEqualTo(3);
        assertThat(recorder.countedTokens()).isCloseTo(33, within(1e-9));
        assertThat(recorder.interTokenLatency.getTotalCount()).isEqualTo(30);
        assertThat(recorder.interTokenLatency.getMean() / 1e6).isCloseTo(10 / 3.0, within(0.01));
        assertThat(recorder.deltaGap.getTotalCount()).isEqualTo(10);
        assertThat(recorder.deltaGap.getMean() / 1e6).isCloseTo(10, within(0.01));
    }

    @Test
    void fractionsOfTokensAreCarriedFromGapToGap() {
        recorder.openWindow(0);
        request(101, 151, DONE);

        // 151/101 tokens per delta over 100 gaps.
        assertThat(recorder.interTokenLatency.getTotalCount()).isEqualTo(149);
    }

    @Test
    void deltasWithoutTextDoNotStretchGaps() {
        recorder.openWindow(0);
        request(10, 5, DONE);

        assertThat(recorder.interTokenLatency.getTotalCount()).isEqualTo(9);
        assertThat(recorder.interTokenLatency.getMaxValue() / 1e6).isCloseTo(10, within(0.02));
        assertThat(recorder.countedTokens()).isCloseTo(5, within(1e-9));
    }

    @Test
    void answersCutOffTakeTheAverageOfTheOthers() {
        recorder.openWindow(0);
        request(10, 20, DONE);
        request(4, -1, new Outcome.Cancelled());

        assertThat(recorder.countedTokens()).isCloseTo(20, within(1e-9));
        assertThat(recorder.estimatedTokens()).isCloseTo(8, within(1e-9));
        assertThat(recorder.interTokenLatency.getTotalCount()).isEqualTo(18 + 6);
    }

    @Test
    void onlyTheDeltasInsideTheWindowCount() {
        recorder.openWindow(115 * MILLI);
        recorder.closeWindow(145 * MILLI);
        request(11, 22, DONE);

        // 120, 130 and 140 ms, two tokens each; the end at 200 ms is outside.
        assertThat(recorder.countedTokens()).isCloseTo(6, within(1e-9));
        assertThat(recorder.interTokenLatency.getTotalCount()).isEqualTo(6);
        assertThat(recorder.timeToFirstToken.getTotalCount()).isZero();
        assertThat(recorder.done()).isZero();
        assertThat(recorder.endToEnd.getTotalCount()).isZero();
    }

    @Test
    void anAnswerWhoseTextCameAtOnceCountsByItsUsage() {
        recorder.openWindow(0);
        RequestTrace trace = new RequestTrace();
        trace.begin(0, 0);
        trace.outputTokens = 4;
        trace.endNanos = 5 * MILLI;
        recorder.finished(trace, DONE);

        assertThat(recorder.countedTokens()).isEqualTo(4);
        assertThat(recorder.mostTokens()).isEqualTo(4);
    }

    @Test
    void failuresAreCountedByKindAndCodeWithTheFirstMessage() {
        recorder.openWindow(0);
        request(0, -1, new Outcome.Failed(ErrorKind.CLOSED_EARLY, "1012", "restarting"));
        request(0, -1, new Outcome.Failed(ErrorKind.CLOSED_EARLY, "1012", "again"));
        request(0, -1, new Outcome.Failed(ErrorKind.CLOSED_EARLY, "1011", "broken"));

        assertThat(recorder.failed()).isEqualTo(3);
        assertThat(recorder.errors().get(new LatencyRecorder.ErrorKey(ErrorKind.CLOSED_EARLY, "1012")))
                .isEqualTo(new LatencyRecorder.ErrorCount(2, "restarting"));
    }

    @Test
    void manyDifferentCodesAreLumpedTogether() {
        recorder.openWindow(0);
        for (int i = 0; i < 100; i++) {
            request(0, -1, new Outcome.Failed(ErrorKind.ERROR_EVENT, "code" + i, ""));
        }

        assertThat(recorder.errors()).hasSize(33);
        assertThat(recorder.errors()
                        .get(new LatencyRecorder.ErrorKey(ErrorKind.ERROR_EVENT, "other"))
                        .count())
                .isEqualTo(68);
    }

    @Test
    void failuresOfTheWarmUpAreKeptApart() {
        recorder.openWindow(1000 * MILLI);
        request(0, -1, new Outcome.Failed(ErrorKind.CONNECT, "", "refused"));

        assertThat(recorder.failed()).isZero();
        assertThat(recorder.warmUpFailed()).isEqualTo(1);
    }
}
