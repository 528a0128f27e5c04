package dev.weir.server;

import dev.weir.engine.EngineStats;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Decides who may begin, before anything is spent on a request: nobody while the server stops or the engine is broken. The
 * engine's own bounded queue says no to the rest. Any thread.
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
     * @throws ProtocolException 503 if the server stops or the engine has failed
     */
    void check() {
        if (isDraining) {
            throw new ProtocolException(
                    ApiError.unavailable("stopping", "the server is stopping; connect again in a moment"));
        }
        if (!engine.get().isHealthy()) {
            throw new ProtocolException(ApiError.unavailable(
                    "engine_failed", "the engine has failed; restart the server, its log says why"));
        }
    }

    /** Turns that have not ended. */
    int inFlight() {
        return inFlight.get();
    }

    /** Whether new turns are admitted. */
    boolean isReady() {
        return !isDraining && engine.get().isHealthy();
    }

    boolean isHealthy() {
        return engine.get().isHealthy();
    }

    /** From now on nobody may begin. */
    void drain() {
        isDraining = true;
    }
}
