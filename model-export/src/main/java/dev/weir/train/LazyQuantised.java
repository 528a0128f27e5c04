package dev.weir.train;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A quantised weight matrix that is made when it is written, so that a large model is never in memory as a whole. Used by
 * one thread.
 *
 * <p>A file gets the values and then the scales, which come from one computation: its result is kept in between.
 */
final class LazyQuantised {
    private final Supplier<Quantised> computation;
    private @Nullable Quantised made;

    LazyQuantised(Supplier<Quantised> computation) {
        this.computation = computation;
    }

    byte[] values() {
        Quantised matrix = computation.get();
        made = matrix;
        return matrix.values();
    }

    float[] scales() {
        Quantised matrix = made == null ? computation.get() : made;
        made = null;
        return matrix.scales();
    }
}
