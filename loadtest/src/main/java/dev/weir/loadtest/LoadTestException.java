package dev.weir.loadtest;

/** A reason why a run cannot start or go on, in a sentence for the person who started it. */
final class LoadTestException extends RuntimeException {

    LoadTestException(String message) {
        super(message);
    }
}
