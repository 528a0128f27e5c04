package dev.weir.loadtest;

import java.time.Duration;

/** When requests start: after the answers before them (closed) or at times of their own (open). */
sealed interface LoadShape permits ClosedLoad, OpenLoad {

    /** Starts the load; everything after happens through the run's clock and its users' callbacks. */
    void start(LoadRun run);

    /** The most requests that can be under way at a time, hence the most connections. */
    int maxInFlight();

    /** How long the load takes to grow to its full size. */
    Duration ramp();

    /** The load in words, for the report's head. */
    String describe();
}
