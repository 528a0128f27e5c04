package dev.weir.engine;

/** A step was given up at {@link ModelRunner#interrupt}: what it should have computed is yet to be computed. */
public final class StepInterruptedException extends RuntimeException {
    public StepInterruptedException() {
        super("the step was interrupted", null, false, false);
    }
}
