package dev.weir.engine;

import java.util.BitSet;

/**
 * What a sequence may say next, decided token by token: the hook for constrained decoding by a grammar or an automaton. One
 * generation's own; called on the engine thread alone, between running the model and committing the step, so that it must be
 * quick. One that throws fails its own generation.
 *
 * <p>The model's end-of-sequence tokens are tokens like any other: a constraint that is complete allows them. A constraint
 * that allows nothing ends the generation with a {@link NoTokenAllowedException}.
 */
public interface TokenConstraint {
    /** Sets the bit of each token that may come next. The set comes empty; bits beyond the vocabulary are ignored. */
    void allow(BitSet tokens);

    /** The token was chosen and is part of the sequence from now on. */
    void accept(int token);

    /** Whether nothing can follow: the generation then ends with {@link FinishReason#STOP}, without an end-of-sequence token. */
    default boolean isComplete() {
        return false;
    }
}
