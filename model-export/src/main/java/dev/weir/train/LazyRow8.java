package dev.weir.train;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A weight matrix in eight bits that is made when it is written, so that a large model is never in memory as a whole. Used by
 * one thread.
 *
 * <p>A file gets the values and then the scales, which come from one computation: its result is kept in between.
 */
final class LazyRow8 {
    private final Supplier<Row8> computation;
    private @Nullable Row8 made;

    LazyRow8(Supplier<Row8> computation) {
        this.computation = computation;
    }

    byte[] values() {
        Row8 matrix = computation.get();
        made = matrix;
        return matrix.values();
    }

    float[] scales() {
        Row8 matrix = made == null ? computation.get() : made;
        made = null;
        return matrix.scales();
    }
}
