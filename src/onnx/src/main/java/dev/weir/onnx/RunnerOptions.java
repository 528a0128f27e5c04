package dev.weir.onnx;

/**
 * How much of the machine a model may use. Immutable; any thread.
 *
 * @param maxSequences sequences whose cache is in memory at once, which are the slots of the engine
 * @param kvCacheBytes memory for keys and values; 0 takes what {@code maxSequences} need, or half of the memory that is
 *     left to the process if that is less
 * @param maxTokens tokens of one sequence, prompt and answer together; 0 takes the model's context length
 * @param threads threads that compute, the engine's own included; 0 takes the physical cores that the process may use
 * @param prefixCacheBytes memory for the prefix cache; 0 turns it off, {@link #AUTOMATIC} takes half as much as keys and
 *     values do, or an eighth of the memory that is left beside them if that is less
 */
public record RunnerOptions(int maxSequences, long kvCacheBytes, int maxTokens, int threads, long prefixCacheBytes) {
    /** The size of a prefix cache that nobody has set. */
    public static final long AUTOMATIC = -1;

    public static final RunnerOptions DEFAULT = new RunnerOptions(128, 0, 0, 0, AUTOMATIC);

    public RunnerOptions {
        check(maxSequences >= 1, "max-sequences", maxSequences, "at least 1");
        check(kvCacheBytes >= 0, "kv-cache-bytes", kvCacheBytes, "at least 0, where 0 means automatic");
        check(maxTokens == 0 || maxTokens >= 2, "max-tokens", maxTokens, "at least 2, or 0 for the model's own limit");
        check(threads >= 0, "threads", threads, "at least 0, where 0 means one per physical core");
        check(prefixCacheBytes >= AUTOMATIC, "prefix-cache-memory", prefixCacheBytes, "at least 0");
    }

    /** Options without a prefix cache. */
    public RunnerOptions(int maxSequences, long kvCacheBytes, int maxTokens, int threads) {
        this(maxSequences, kvCacheBytes, maxTokens, threads, 0);
    }

    private static void check(boolean valid, String setting, long value, String range) {
        if (!valid) {
            throw new IllegalArgumentException(setting + " is " + value + " but must be " + range);
        }
    }
}
