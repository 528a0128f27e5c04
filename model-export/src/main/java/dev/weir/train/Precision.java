package dev.weir.train;

import java.util.Locale;

/** How the weights of an exported model are stored and multiplied. */
enum Precision {
    /** As they were trained. */
    FP32,
    /** Eight bits per weight, one scale per output column; activations get one scale per token ("row8"). */
    INT8;

    /** The name on the command line and in the model card. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
