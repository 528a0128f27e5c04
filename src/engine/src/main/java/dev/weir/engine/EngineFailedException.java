package dev.weir.engine;

/** A step failed in the model runner, or the engine is closed: the fault is ours, not the caller's. */
public final class EngineFailedException extends RuntimeException {
    EngineFailedException(String message, Throwable cause) {
        super(message, cause);
    }

    EngineFailedException(String message) {
        super(message);
    }
}
