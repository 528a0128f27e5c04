package dev.weir.train;

import java.util.Locale;

/** What an exported model runs on, which decides how its tokens come in and how attention finds those before them. */
enum Target {
    /** ONNX Runtime's CPU provider: {@code GroupQueryAttention} over slots, float32 arithmetic. */
    CPU(Precision.FP32),
    /** ONNX Runtime's CUDA provider: {@code PagedAttention} over blocks, arithmetic in half floats or bfloat16. */
    CUDA(Precision.FP16),
    /**
     * The same provider and arithmetic, with the CPU's {@code GroupQueryAttention} over slots: what other programs run, by ONNX
     * Runtime's own APIs, and this server is measured beside.
     */
    CUDA_SLOTS(Precision.FP16);

    private final Precision precision;

    Target(Precision precision) {
        this.precision = precision;
    }

    /** How weights are stored where nothing else is asked for. */
    Precision precision() {
        return precision;
    }

    /** How keys and values are kept beside such weights where nothing else is asked for. */
    CachePrecision cache(Precision weights) {
        if (this == CPU) {
            return CachePrecision.FP32;
        }
        return weights == Precision.BF16 ? CachePrecision.BF16 : CachePrecision.FP16;
    }

    /** Whether the graph calculates in the sixteen bits that its weights are stored in. */
    boolean isInHalves() {
        return this != CPU;
    }

    /** The name on the command line and in the model card. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public String toString() {
        return label(); // which the command line is read by
    }
}
