package dev.weir.server;

import dev.weir.engine.EngineStats;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Decides who may begin, before anything is spent on a request: nobody while the server stops. The engine's own bounded
 * queue says no to those for whom there is no room. Any thread.
 */
final class Admission {
    private final Supplier<EngineStats> engine;
    private final Set<Work> inFlight = ConcurrentHashMap.newKeySet();
    private volatile boolean isDraining;

    /** What was let in and has not ended. */
    interface Work {
        /** Ends as it is, in a moment. Any thread. */
        void cancelSoon();
    }

    Admission(Supplier<EngineStats> engine) {
        this.engine = engine;
    }

    /** Counts work in. */
    void enter(Work work) {
        inFlight.add(work);
    }

    /** Counts work out. */
    void leave(Work work) {
        inFlight.remove(work);
    }

    /**
     * Lets work begin.
     *
     * @throws RetryLaterException 503 if the server stops
     */
    void check() {
        if (isDraining) {
            throw RetryLaterException.stopping();
        }
    }

    /** How much was let in and has not ended. */
    int inFlight() {
        return inFlight.size();
    }

    /** Whether more clients should be sent here. */
    boolean isReady() {
        return !isDraining && engine.get().isHealthy();
    }

    /** Whether no step has ever failed; one that did fails its own requests, others are still served. */
    boolean isHealthy() {
        return engine.get().isHealthy();
    }

    /** From now on nobody may begin. */
    void drain() {
        isDraining = true;
    }

    /** Whether the server stops. */
    boolean isDraining() {
        return isDraining;
    }

    /** Ends all work as it is. */
    void cancelAll() {
        inFlight.forEach(Work::cancelSoon);
    }
}
