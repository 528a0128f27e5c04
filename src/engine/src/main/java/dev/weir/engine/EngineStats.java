package dev.weir.engine;

/**
 * A snapshot of the engine after its latest step, or of several together. Immutable; any thread.
 *
 * @param running sequences that hold a slot and may be computed
 * @param parked sequences that hold a slot but whose reader has no room
 * @param waiting requests in the queue
 * @param slots slots in all
 * @param cachedTokens tokens in the cache over all slots
 * @param cacheCapacity tokens that the cache can hold
 * @param prefixBlocks blocks that the prefix cache holds
 * @param prefixCapacity blocks that it can hold; 0 when it is off
 * @param preemptions times that a sequence lost its slot before its end, since the engine started
 * @param isHealthy false once a step has failed
 */
public record EngineStats(
        int running,
        int parked,
        int waiting,
        int slots,
        long cachedTokens,
        long cacheCapacity,
        int prefixBlocks,
        int prefixCapacity,
        long preemptions,
        boolean isHealthy) {
    /** Share of the cache in use, 0 to 1. */
    public double cacheUsage() {
        return cacheCapacity == 0 ? 0 : (double) cachedTokens / cacheCapacity;
    }

    /** Share of the prefix cache in use, 0 to 1. */
    public double prefixCacheUsage() {
        return prefixCapacity == 0 ? 0 : (double) prefixBlocks / prefixCapacity;
    }

    /** Both together; healthy only if both are. */
    EngineStats plus(EngineStats other) {
        return new EngineStats(
                running + other.running,
                parked + other.parked,
                waiting + other.waiting,
                slots + other.slots,
                cachedTokens + other.cachedTokens,
                cacheCapacity + other.cacheCapacity,
                prefixBlocks + other.prefixBlocks,
                prefixCapacity + other.prefixCapacity,
                preemptions + other.preemptions,
                isHealthy && other.isHealthy);
    }
}
