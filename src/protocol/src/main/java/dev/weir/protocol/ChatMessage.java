package dev.weir.protocol;

/**
 * One message of a conversation. Immutable; any thread.
 *
 * @param role {@code system}, {@code user} or {@code assistant}; {@code developer} is read as {@code system}
 * @param content its text, parts joined
 */
public record ChatMessage(String role, String content) {}
