package dev.weir.train;

import java.util.Locale;

/** How the weights of an exported model are stored and multiplied. */
enum Precision {
    /** As they were trained. */
    FP32,
    /**
     * Half floats in the file. For the CPU they become float32 while the model is loaded and are multiplied as such; on CUDA
     * they are multiplied as they are.
     */
    FP16,
    /** Eight bits per weight, one scale per output column; activations get one scale per token ("row8"). */
    INT8,
    /** Four bits per weight, one scale per block of 32 inputs of an output; activations get eight bits by block. */
    INT4;

    /** The name on the command line and in the model card. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
