package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InterruptionTest {
    private static final int ROWS = 60;
    private static final int SHARE = 32;
    private static final long MILLIS = 1_000_000;

    private int interrupted;
    private final Interruption interruption = new Interruption(new Model());
    private long now = 17;

    private final class Model implements ModelRunner {
        @Override
        public ModelShape shape() {
            return new ModelShape(97, 64, 128, new int[] {96}, PrefixPool.NONE);
        }

        @Override
        public Logits run(StepPlan plan) {
            throw new AssertionError("nobody asks for anything but its shape");
        }

        @Override
        public void interrupt() {
            interrupted++;
        }

        @Override
        public void close() {
            // nothing is open
        }
    }

    /** A step of rows in which a request comes after some time; whether it was given up. */
    private boolean step(int share, int requests, long after, long whole) {
        int before = interrupted;
        interruption.begins(ROWS, share, now);
        interruption.requested(requests, now + after);
        boolean isGivenUp = interrupted > before;
        now += isGivenUp ? after : whole;
        interruption.ended(!isGivenUp, now);
        return isGivenUp;
    }

    @Test
    void rowsAreGivenUpForATenantWithNoMoreThanItsShareUntilMostOfTheirTimeHasPassed() {
        assertThat(step(SHARE, 1, 0, 40 * MILLIS))
                .as("how long they take is not known")
                .isFalse();
        assertThat(step(SHARE, SHARE + 1, 1, 40 * MILLIS)).as("it has more").isFalse();
        assertThat(step(0, 1, 1, 40 * MILLIS)).as("nobody floods").isFalse();
        assertThat(step(SHARE, SHARE, 30 * MILLIS, 40 * MILLIS)).isFalse();
        assertThat(step(SHARE, SHARE, 30 * MILLIS - 1, 40 * MILLIS)).isTrue();
    }

    @Test
    void aStepIsGivenUpOnceAndNoneAfterItsEnd() {
        step(SHARE, SHARE + 1, 1, 40 * MILLIS);
        interruption.begins(ROWS, SHARE, now);
        interruption.requested(1, now + 1);
        interruption.requested(1, now + 2);
        interruption.ended(false, now + 3);
        interruption.requested(1, now + 3);
        assertThat(interrupted).isOne();
    }

    /** However many come, and at the worst moment. */
    @Test
    void aTwentiethOfTheTimeIsLostAtMost() {
        step(0, 1, 1, 40 * MILLIS);
        long lost = 0;
        long used = 0;
        for (int i = 0; i < 10_000; i++) {
            if (step(SHARE, 1, 29 * MILLIS, 40 * MILLIS)) {
                lost += 29;
            } else {
                used += 40;
            }
            assertThat(lost).isLessThanOrEqualTo(500 + used / 20 + 2);
        }
        assertThat(lost).isGreaterThan(used / 21);
    }
}
