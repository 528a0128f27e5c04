package dev.weir.server;

import dev.weir.protocol.ApiError;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;

/** Whole HTTP replies. Owned by the connection; a client that is gone gets nothing. */
final class HttpReplies {
    private HttpReplies() {}

    static void json(HttpServerResponse response, String body) {
        if (isOpen(response)) {
            response.putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
            response.end(body);
        }
    }

    static void text(HttpServerResponse response, String contentType, String body) {
        if (isOpen(response)) {
            response.putHeader(HttpHeaders.CONTENT_TYPE, contentType);
            response.end(body);
        }
    }

    /** An error body; {@code retryAfterSeconds} 0 means that trying again does not help. */
    static void error(HttpServerResponse response, ApiError error, long retryAfterSeconds) {
        if (isOpen(response)) {
            if (retryAfterSeconds > 0) {
                response.putHeader("Retry-After", Long.toString(retryAfterSeconds));
            }
            if (error.status() == HttpResponseStatus.UNAUTHORIZED.code()) {
                response.putHeader("WWW-Authenticate", "Bearer"); // RFC 6750 wants it
            }
            json(response.setStatusCode(error.status()), error.toJson());
        }
    }

    private static boolean isOpen(HttpServerResponse response) {
        return !response.closed() && !response.ended() && !response.headWritten();
    }
}
