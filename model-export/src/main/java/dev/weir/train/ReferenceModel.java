package dev.weir.train;

/** A trusted computation of a model's logits, which an export must reproduce. */
interface ReferenceModel {
    /** Scores of the next token after each of these tokens, {@code [tokens, vocabulary]}. */
    float[][] logits(int[] tokens);
}
