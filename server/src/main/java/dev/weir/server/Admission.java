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
    private final Set<Turn> inFlight = ConcurrentHashMap.newKeySet();
    private volatile boolean isDraining;

    Admission(Supplier<EngineStats> engine) {
        this.engine = engine;
    }

    /** Counts a turn in. */
    void enter(Turn turn) {
        inFlight.add(turn);
    }

    /** Counts a turn out. */
    void leave(Turn turn) {
        inFlight.remove(turn);
    }

    /**
     * Lets a turn begin.
     *
     * @throws RetryLaterException 503 if the server stops
     */
    void check() {
        if (isDraining) {
            throw RetryLaterException.stopping();
        }
    }

    /** Turns that have not ended. */
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

    /** Ends all turns as they are. */
    void cancelAll() {
        inFlight.forEach(Turn::cancelSoon);
    }
}
