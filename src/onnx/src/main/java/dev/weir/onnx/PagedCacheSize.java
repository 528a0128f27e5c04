package dev.weir.onnx;

/**
 * How many sequences a paged cache has room for, and how many blocks there are for beginnings that others share. Immutable.
 *
 * @param slots sequences that fit at once, of the longest context each
 * @param poolBlocks blocks of the prefix cache
 */
record PagedCacheSize(int slots, int poolBlocks) {
    /** Memory of the device that is left to CUDA graphs and to what others take meanwhile. */
    private static final long RESERVE = 512L << 20;

    private static final long MOST_POOL_BLOCKS = 1 << 16;

    /**
     * Decides on both.
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
        if (options.kvCacheBytes() > 0) {
            left = Math.min(left, options.kvCacheBytes());
        }
        long blocks = left / cache.allBlockBytes() - 1; // one belongs to nobody
        int slots = (int) Math.min(options.maxSequences(), blocks / cache.blocksPerSlot());
        if (slots < 1) {
            throw new ModelLoadException("the cache of one sequence of max-tokens " + cache.maxTokens() + " takes "
                    + cache.blocksPerSlot() * cache.allBlockBytes() + " bytes, and of the GPU's "
                    + memory.total() + " bytes, of which " + memory.free() + " are free, "
                    + Math.max(0, left) + " are left for it: set gpu-memory-fraction or kv-cache-memory higher, or"
                    + " max-tokens lower");
        }
        long free = blocks - (long) slots * cache.blocksPerSlot();
        long pool = options.prefixCacheBytes() == RunnerOptions.AUTOMATIC
                ? free / 2
                : options.prefixCacheBytes() / cache.allBlockBytes();
        return new PagedCacheSize(slots, (int) Math.clamp(pool, 0, Math.min(free, MOST_POOL_BLOCKS)));
    }
}
