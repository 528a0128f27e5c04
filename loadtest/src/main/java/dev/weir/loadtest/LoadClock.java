package dev.weir.loadtest;

/**
 * The time and the timers of a run. Owner: the thread of the run; tasks run on it, one at a time. A test steps its own
 * clock, so that delays of minutes take no time and come out exact.
 */
interface LoadClock {

    /** Nanoseconds from an arbitrary origin, never decreasing. */
    long nanoTime();

    /** Runs {@code task} after {@code delayNanos}, or as soon as possible when that is zero or less. */
    void schedule(long delayNanos, Runnable task);
}
