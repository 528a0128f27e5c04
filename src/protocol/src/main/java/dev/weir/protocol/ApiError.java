package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/**
 * An error as the OpenAI API words it: the body {@code {"error": {message, type, param, code}}} and its HTTP status.
 * Immutable; any thread.
 *
 * @param status HTTP status, also sent in {@code error} events
 * @param type family of the error, such as {@code invalid_request_error}
 * @param code what a program can branch on, such as {@code context_length_exceeded}; may be null
 * @param param the field at fault; may be null
 * @param message one sentence for a person: the field, its value and the remedy
 */
public record ApiError(
        int status,
        String type,
        @Nullable String code,
        @Nullable String param,
        String message) {
    private static final String INVALID = "invalid_request_error";

    /** The caller's fault: status 400. */
    public static ApiError invalid(@Nullable String code, @Nullable String param, String message) {
        return new ApiError(400, INVALID, code, param, message);
    }

    /** The caller's fault with a status of its own, such as 404 or 413. */
    public static ApiError refused(int status, String code, String message) {
        return new ApiError(status, INVALID, code, null, message);
    }

    /** No model of that name is served: 404 {@code model_not_found}. */
    public static ApiError unknownModel(String asked, String served) {
        return new ApiError(
                404,
                INVALID,
                "model_not_found",
                "model",
                "the model \"" + Json.abbreviate(asked) + "\" is not served here; ask for \"" + served + "\"");
    }

    /** The prompt, or prompt and answer together, do not fit the model's context. */
    public static ApiError contextLengthExceeded(String param, String message) {
        return invalid("context_length_exceeded", param, message);
    }

    /** No room just now, nothing was started and the ask may be repeated: 429 {@code overloaded}. */
    public static ApiError overloaded(String message) {
        return new ApiError(429, "overloaded_error", "overloaded", null, message);
    }

    /** The server is starting or stopping: 503. */
    public static ApiError unavailable(String code, String message) {
        return new ApiError(503, "server_error", code, null, message);
    }

    /** No answer within the time that the request gave: 504. */
    public static ApiError deadlineExceeded(String message) {
        return new ApiError(504, "server_error", "deadline_exceeded", "time_limit_ms", message);
    }

    /** The server's own fault: status 500. */
    public static ApiError internal(String message) {
        return new ApiError(500, "server_error", "internal_error", null, message);
    }

    /** The JSON body of an HTTP reply. */
    public String toJson() {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeObjectFieldStart("error");
            Json.writeErrorFields(out, this);
            out.writeEndObject();
            out.writeEndObject();
        });
    }
}
