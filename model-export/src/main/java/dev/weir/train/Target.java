package dev.weir.train;

import java.util.Locale;

/** What an exported model runs on, which decides how its tokens come in and how attention finds those before them. */
enum Target {
    /** ONNX Runtime's CPU provider: {@code GroupQueryAttention} over slots, float32 arithmetic. */
    CPU(Precision.FP32, CachePrecision.FP32),
    /** ONNX Runtime's CUDA provider: {@code PagedAttention} over blocks, arithmetic in half floats. */
    CUDA(Precision.FP16, CachePrecision.FP16);

    private final Precision precision;
    private final CachePrecision cache;

    Target(Precision precision, CachePrecision cache) {
        this.precision = precision;
        this.cache = cache;
    }

    /** How weights are stored where nothing else is asked for. */
    Precision precision() {
        return precision;
    }

    /** How keys and values are kept where nothing else is asked for. */
    CachePrecision cache() {
        return cache;
    }

    /** The name on the command line and in the model card. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
