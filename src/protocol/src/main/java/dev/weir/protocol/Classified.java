package dev.weir.protocol;

/**
 * What a model's head says of one text. Immutable by contract; any thread.
 *
 * @param label the most likely class
 * @param probs the probability of each class; one number that is no probability where there are no classes
 */
@SuppressWarnings("ArrayRecordComponent") // written once, never compared
public record Classified(String label, float[] probs) {}
