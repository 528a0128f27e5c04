package dev.weir.protocol;

/**
 * The assistant's message in a response. Immutable; any thread.
 *
 * @param id its name, {@code msg_...}
 * @param status {@link ResponseStatus#IN_PROGRESS}, {@link ResponseStatus#COMPLETED} or
 *     {@link ResponseStatus#INCOMPLETE}
 * @param text what was generated, stop string excluded
 */
public record OutputMessage(String id, ResponseStatus status, String text) {}
