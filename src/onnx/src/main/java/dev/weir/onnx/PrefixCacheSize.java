package dev.weir.onnx;

/**
 * How many blocks of tokens are kept for later sequences and what they cost. Immutable; any thread.
 *
 * @param blocks blocks that fit; 0 when there is no prefix cache
 * @param blockBytes memory of one block
 */
public record PrefixCacheSize(int blocks, long blockBytes) {
    /**
     * Tokens of a block. Of a text that is found, half a block is computed again on average, which speaks for small ones;
     * below 16, copies become slower, since each head of each layer is a piece by itself.
     */
    static final int BLOCK_TOKENS = 16;

    /** Share of the slots' own memory that is taken when no size is set. */
    private static final double AUTOMATIC_SHARE_OF_SLOTS = 0.5;

    /** Share of the memory left beside the slots that is taken at most when no size is set. */
    private static final double AUTOMATIC_SHARE_OF_REST = 0.125;

    public long bytes() {
        return blocks * blockBytes;
    }

    /**
     * Decides the number of blocks.
     *
     * @param tokenBytes memory of one token
     * @param maxTokens tokens of a slot; a shorter one than a block has no use for one
     * @param slotsBytes memory of the slots
     * @param available bytes that the process may still use, the slots not yet taken
     * @throws ModelLoadException if the setting does not fit into memory or holds not one block
     */
    static PrefixCacheSize plan(
            long tokenBytes, int maxTokens, RunnerOptions options, long slotsBytes, long available) {
        long blockBytes = tokenBytes * BLOCK_TOKENS;
        long rest = Math.max(0, available - slotsBytes);
        long wanted = options.prefixCacheBytes();
        if (wanted == 0 || maxTokens <= BLOCK_TOKENS) {
            return new PrefixCacheSize(0, blockBytes);
        }
        if (wanted == RunnerOptions.AUTOMATIC) {
            long share = (long) Math.min(slotsBytes * AUTOMATIC_SHARE_OF_SLOTS, rest * AUTOMATIC_SHARE_OF_REST);
            return new PrefixCacheSize(blocks(share, blockBytes), blockBytes);
        }
        if (wanted < blockBytes) {
            throw new ModelLoadException("prefix-cache-memory is " + wanted + ", but one block of " + BLOCK_TOKENS
                    + " tokens takes " + blockBytes + " bytes: set it to at least that, or to 0 for no prefix cache");
        }
        if (wanted > rest) {
            throw new ModelLoadException("prefix-cache-memory is " + wanted + ", but only " + rest + " bytes ("
                    + (rest >> 20) + " MiB) are left to this process beside the cache of its sequences: set it to "
                    + rest + " or less");
        }
        return new PrefixCacheSize(blocks(wanted, blockBytes), blockBytes);
    }

    private static int blocks(long bytes, long blockBytes) {
        return (int) Math.min(Integer.MAX_VALUE, bytes / blockBytes);
    }
}
