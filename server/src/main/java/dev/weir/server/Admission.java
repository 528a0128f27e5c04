package dev.weir.server;

import dev.weir.engine.EngineStats;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Decides who may begin, before anything is spent on a request: nobody while the server stops. The engine's own bounded
 * queue says no to those for whom there is no room. Any thread.
 */
final class Admission {
    private final Supplier<EngineStats> engine;
    private final AtomicInteger inFlight = new AtomicInteger();
    private volatile boolean isDraining;

    Admission(Supplier<EngineStats> engine) {
        this.engine = engine;
    }

    /** Counts a turn in. */
    void enter() {
        inFlight.incrementAndGet();
    }

    /** Counts a turn out. */
    void leave() {
        inFlight.decrementAndGet();
    }

    /**
     * Lets a turn begin.
     *
     * @throws ProtocolException 503 if the server stops
     */
    void check() {
        if (isDraining) {
            throw new ProtocolException(
                    ApiError.unavailable("stopping", "the server is stopping; connect again in a moment"));
        }
    }

    /** Turns that have not ended. */
    int inFlight() {
        return inFlight.get();
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
}
