package dev.weir.train;

import java.util.Optional;

/** A trusted computation of a model's logits, which an export must reproduce. */
interface ReferenceModel {
    /** Scores of the next token after each of these tokens, {@code [tokens, vocabulary]}. */
    float[][] logits(int[] tokens);

    /** The model with its head, if it was fine-tuned for a task. */
    default Optional<HeadedModel> headed() {
        return Optional.empty();
    }
}
