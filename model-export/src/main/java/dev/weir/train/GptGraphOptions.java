package dev.weir.train;

import org.jspecify.annotations.Nullable;

/**
 * The choices of an export.
 *
 * @param precision how weights are stored
 * @param allPositions whether logits come out for every token, {@code [batch, tokens, vocabulary]}, as evaluation wants
 *     them, instead of for the last one
 * @param kvScales scales of an eight-bit cache; null keeps keys and values in float32
 */
record GptGraphOptions(
        Precision precision, boolean allPositions, @Nullable KvScales kvScales) {
    GptGraphOptions(Precision precision) {
        this(precision, false, null);
    }

    GptGraphOptions withKvScales(KvScales scales) {
        return new GptGraphOptions(precision, allPositions, scales);
    }
}
