package dev.weir.train;

import java.util.Locale;

/** How an exported model keeps the keys and values of its tokens. */
enum CachePrecision {
    FP32,
    /** Half floats, which attention on the CPU is slow with and attention on CUDA has instead of {@link #FP32}. */
    FP16,
    /** bfloat16, for attention on CUDA beside weights of that kind. */
    BF16,
    /** Eight bits each, one scale per layer for keys and one for values. */
    INT8;

    /** The name on the command line and in the model card. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
