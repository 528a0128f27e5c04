package dev.weir.onnx;

/**
 * How a paged cache's blocks are shared out: to the sequences that are computed, and to beginnings that others share. Immutable.
 *
 * @param slots sequences at once at most, however short they are
 * @param slotBlocks blocks that those have together; at least one whole context
 * @param poolBlocks blocks of the prefix cache
 */
record PagedCacheSize(int slots, int slotBlocks, int poolBlocks) {
    /** Memory of the device that is left to CUDA graphs and to what others take meanwhile. */
    private static final long RESERVE = 512L << 20;

    private static final long MOST_POOL_BLOCKS = 1 << 16;

    /** Where contexts could fill all there is, one block of so many is for the prefix cache all the same. */
    private static final int POOL_SHARE = 4;

    /**
     * Shares the blocks out. Sequences have no more of them than whole contexts of all slots would fill.
     *
     * @param memory of the device, the model and the largest step's activations taken
     * @param stride floats of a row of logits, of which there are two for each sequence
     * @throws ModelLoadException if not one sequence fits
     */
    static PagedCacheSize plan(
            PagedCacheShape cache, RunnerOptions options, CudaOptions cuda, CudaRuntime.Memory memory, long stride) {
        long used = memory.total() - memory.free();
        long left = (long) (memory.total() * cuda.memoryFraction()) - used - RESERVE;
        left -= 2L * options.maxSequences() * stride * Float.BYTES;
        long bytes = cache.allBlockBytes();
        long blocks = left / bytes - 1; // one belongs to nobody
        long bound = options.kvCacheBytes() > 0 ? options.kvCacheBytes() / bytes : Long.MAX_VALUE;
        if (Math.min(blocks, bound) < cache.blocksPerSlot()) {
            throw new ModelLoadException("the cache of one sequence of max-tokens " + cache.maxTokens() + " takes "
                    + cache.blocksPerSlot() * bytes + " bytes, and of the GPU's "
                    + memory.total() + " bytes, of which " + memory.free() + " are free, "
                    + Math.clamp(left, 0, options.kvCacheBytes() > 0 ? options.kvCacheBytes() : Long.MAX_VALUE)
                    + " are left for it: set gpu-memory-fraction or kv-cache-memory higher, or max-tokens lower");
        }
        long contexts = (long) options.maxSequences() * cache.blocksPerSlot();
        long pool = options.prefixCacheBytes() / bytes;
        if (options.prefixCacheBytes() == RunnerOptions.AUTOMATIC) {
            blocks = Math.min(blocks, bound); // both come out of what the setting allows
            pool = Math.max(blocks / POOL_SHARE, (blocks - contexts) / 2);
        }
        pool = Math.clamp(pool, 0, Math.min(blocks - cache.blocksPerSlot(), MOST_POOL_BLOCKS));
        long slotBlocks = Math.min(Math.min(contexts, bound), Math.min(blocks - pool, Integer.MAX_VALUE));
        return new PagedCacheSize(options.maxSequences(), (int) slotBlocks, (int) pool);
    }
}
