package dev.weir.engine;

/**
 * The memory outside the slots in which a runner can keep pieces of sequences for later ones. Immutable; any thread.
 *
 * @param blocks pieces that fit; 0 turns the prefix cache off
 * @param blockTokens tokens of a piece
 * @param decodesLikePrefill whether a token that was decoded leaves the very bits in the cache that a prefill chunk would
 *     have left; if not, generated tokens are kept only for their own sequence
 */
public record PrefixPool(int blocks, int blockTokens, boolean decodesLikePrefill) {
    /** No memory, no prefix cache. */
    public static final PrefixPool NONE = new PrefixPool(0, 1, false);

    public PrefixPool {
        if (blocks < 0 || blockTokens < 1) {
            throw new IllegalArgumentException(
                    "blocks " + blocks + ", blockTokens " + blockTokens + ": at least 0 and 1 are needed");
        }
    }
}
