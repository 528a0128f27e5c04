package dev.weir.train;

/**
 * The choices of an export.
 *
 * @param precision how weights are stored
 * @param allPositions whether logits come out for every token, {@code [batch, tokens, vocabulary]}, as evaluation wants
 *     them, instead of for the last one
 */
record GptGraphOptions(Precision precision, boolean allPositions) {}
