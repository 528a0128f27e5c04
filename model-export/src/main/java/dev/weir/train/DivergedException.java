package dev.weir.train;

import java.io.Serial;

/** The loss or the gradient is no longer a number; the weights of the last save still are. */
final class DivergedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    DivergedException(int step, double loss, double gradientNorm) {
        super("training diverged at step " + step + ": loss " + loss + ", gradient norm " + gradientNorm
                + "; start again with a lower --learning-rate or a longer --warm-up");
    }
}
