package dev.weir.train;

import java.util.Locale;

/** What a graph with eight-bit weights may do to its activations. */
enum Numerics {
    /** A scale for each token: what one sequence gets never depends on those beside it. */
    EXACT,
    /** One scale for all tokens of a run: fewer operations, and a neighbour moves the rounding of all. */
    FAST;

    /** The name on the command line and in the model card. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
