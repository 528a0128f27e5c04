package dev.weir.protocol;

/**
 * The assistant's call of a function in a response. Immutable; any thread.
 *
 * @param id its name as an item, {@code fc_...}
 * @param status {@link ResponseStatus#IN_PROGRESS}, {@link ResponseStatus#COMPLETED}, or {@link ResponseStatus#INCOMPLETE} if
 *     the answer was cut within it
 */
public record FunctionCall(String id, ResponseStatus status, ToolCall call) implements OutputItem {}
