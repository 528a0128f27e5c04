package dev.weir.train;

import java.util.Locale;
import java.util.Optional;

/** How the weights of an exported model are stored and multiplied. */
enum Precision {
    /** As they were trained. */
    FP32,
    /**
     * Half floats in the file. For the CPU they become float32 while the model is loaded and are multiplied as such; on CUDA
     * they are multiplied as they are.
     */
    FP16,
    /** The upper halves of float32 ("bfloat16"), to be multiplied as they are on CUDA. */
    BF16,
    /** Eight bits per weight, one scale per output column; activations get one scale per token ("row8"). */
    INT8,
    /** Four bits per weight, one scale per block of 32 inputs of an output; activations get eight bits by block. */
    INT4;

    /** The floats of sixteen bits that weights are stored as, if they are. */
    Optional<HalfFloats> halves() {
        return switch (this) {
            case FP16 -> Optional.of(HalfFloats.FP16);
            case BF16 -> Optional.of(HalfFloats.BF16);
            case FP32, INT8, INT4 -> Optional.empty();
        };
    }

    /** The name on the command line and in the model card. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
