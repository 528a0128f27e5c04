package dev.weir.server;

import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

/** How the database does: counts what fails, and logs the first failure and the recovery. Any thread. */
final class DatabaseHealth {
    private final LongAdder failures = new LongAdder();
    private volatile boolean isWell = true;

    /** Whether the last that is known of it is that it did what it was asked, in time. */
    boolean isWell() {
        return isWell;
    }

    long failures() {
        return failures.sum();
    }

    /** It did something, however long that took. */
    void works() {
        took(0, Duration.ZERO);
    }

    /** It stored something. */
    void took(long nanos, Duration limit) {
        if (nanos <= limit.toNanos()) {
            change(true, () -> Logs.SERVER.info("the database of stored responses works again"));
        }
    }

    /** It did not store something in time, though it may yet do it. */
    void tooSlow(Duration limit) {
        change(
                false,
                () -> Logs.SERVER.error(
                        "the database of stored responses takes longer than {} s; responses end without it until it"
                                + " is faster",
                        limit.toSeconds()));
    }

    /** It did not do something. */
    void failed(Throwable cause) {
        failures.increment();
        change(
                false,
                () -> Logs.SERVER.error(
                        "the database of stored responses failed; responses are given but not stored until it works"
                                + " again",
                        cause));
    }

    private synchronized void change(boolean toWell, Runnable log) {
        if (isWell != toWell) {
            isWell = toWell;
            log.run();
        }
    }
}
