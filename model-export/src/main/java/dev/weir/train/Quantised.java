package dev.weir.train;

/** A weight matrix as small integers and the scales that they are multiples of. */
interface Quantised {
    byte[] values();

    float[] scales();
}
