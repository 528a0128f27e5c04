package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A function that the assistant may call; the client runs it. Immutable; any thread.
 *
 * @param name letters, digits, {@code _} and {@code -}, at most 64
 * @param description what it does, for the model; may be null
 * @param parameters the JSON Schema of its arguments, as it was sent; null for a function without any
 * @param strict whether the client asks that the arguments be held to the schema
 * @param arguments what the arguments are held to; null if they may be any JSON object
 */
public record FunctionTool(
        String name,
        @Nullable String description,
        @Nullable String parameters,
        boolean strict,
        JsonSchema.@Nullable Document arguments) {
    /** Characters in it. */
    public int length() {
        return name.length()
                + (description == null ? 0 : description.length())
                + (parameters == null ? 0 : parameters.length());
    }
}
