package dev.weir.onnx;

/**
 * How many slots the cache of keys and values has and what they cost. Immutable; any thread.
 *
 * @param slots sequences that fit at once
 * @param requestedSlots the setting {@code max-sequences}; more than {@code slots} if memory does not allow them
 * @param slotBytes memory of one slot
 */
public record KvCacheSize(int slots, int requestedSlots, long slotBytes) {
    /** Share of the available memory that is taken when no size is set: the rest is for activations and the heap. */
    private static final double AUTOMATIC_SHARE = 0.5;

    public long bytes() {
        return slots * slotBytes;
    }

    /** Whether there are fewer slots than {@code max-sequences} asks for. */
    public boolean isReduced() {
        return slots < requestedSlots;
    }

    /**
     * Decides the number of slots.
     *
     * @param slotBytes memory of one slot
     * @param arrays separately allocated pieces that a slot consists of, which bounds the slots because one
     *     {@link java.nio.ByteBuffer} ends at 2 GiB
     * @param available bytes that the process may still use
     * @throws ModelLoadException if the setting does not fit into memory or not one slot fits into the setting
     */
    static KvCacheSize plan(long slotBytes, int arrays, RunnerOptions options, int maxTokens, long available) {
        long perArray = Integer.MAX_VALUE / (slotBytes / arrays);
        if (perArray < 1) {
            throw new ModelLoadException("max-tokens is " + maxTokens + ", but one layer's cache of so many tokens has "
                    + bytes(slotBytes / arrays) + " and must stay below 2 GiB: at most "
                    + (maxTokens * (long) Integer.MAX_VALUE / (slotBytes / arrays)) + " fit");
        }
        int wanted = (int) Math.min(options.maxSequences(), perArray);
        if (options.kvCacheBytes() == 0) {
            long share = (long) (available * AUTOMATIC_SHARE);
            int slots = (int) Math.min(wanted, share / slotBytes);
            if (slots < 1) {
                throw new ModelLoadException("the cache of one sequence of max-tokens " + maxTokens + " takes "
                        + bytes(slotBytes) + " and half of the " + bytes(available)
                        + " left to this process is kept for it: set max-tokens to "
                        + fittingTokens(slotBytes, maxTokens, share) + " or less");
            }
            return new KvCacheSize(slots, options.maxSequences(), slotBytes);
        }
        int slots = (int) Math.min(wanted, options.kvCacheBytes() / slotBytes);
        if (slots < 1) {
            throw new ModelLoadException("kv-cache-bytes is " + options.kvCacheBytes()
                    + ", but the cache of one sequence of max-tokens " + maxTokens + " takes " + bytes(slotBytes)
                    + ": set kv-cache-bytes to at least that, or max-tokens to "
                    + fittingTokens(slotBytes, maxTokens, options.kvCacheBytes()) + " or less");
        }
        if (slots * slotBytes > available) {
            long fitting = available / slotBytes;
            throw new ModelLoadException("kv-cache-bytes is " + options.kvCacheBytes() + ", of which " + slots
                    + " sequences take " + bytes(slots * slotBytes) + ", but only " + bytes(available)
                    + " are left to this process: "
                    + (fitting > 0
                            ? "set kv-cache-bytes to " + fitting * slotBytes + " or less, or max-sequences to "
                                    + fitting + " or less"
                            : "set max-tokens to " + fittingTokens(slotBytes, maxTokens, available) + " or less"));
        }
        return new KvCacheSize(slots, options.maxSequences(), slotBytes);
    }

    private static long fittingTokens(long slotBytes, int maxTokens, long bytes) {
        return bytes / (slotBytes / maxTokens);
    }

    private static String bytes(long bytes) {
        return bytes + " bytes (" + (bytes >> 20) + " MiB)";
    }
}
