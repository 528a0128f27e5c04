package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;

/**
 * The body of one request on its way in, whatever content type it claims to have. Owned by the context of its connection. A
 * body that is too large, or does not arrive in time, is refused.
 */
final class RequestBody {
    private final RoutingContext http;
    private final HttpServerRequest request;
    private final ServerLimits limits;
    private final Consumer<String> route;
    private final Buffer body = Buffer.buffer();
    private final long timer;
    private boolean isRefused;

    private RequestBody(Vertx vertx, RoutingContext http, ServerLimits limits, Consumer<String> route) {
        this.http = http;
        this.limits = limits;
        this.route = route;
        request = http.request();
        timer = vertx.setTimer(limits.bodyTimeout().toMillis(), _ -> late());
        request.handler(this::arrived);
        request.exceptionHandler(
                _ -> { // the client left
                    vertx.cancelTimer(timer);
                    isRefused = true;
                });
        request.endHandler(_ -> {
            vertx.cancelTimer(timer);
            complete();
        });
    }

    /** Reads the body and hands it on; a {@link ProtocolException} of the route becomes the answer. */
    static void read(Vertx vertx, RoutingContext http, ServerLimits limits, Consumer<String> route) {
        var _ = new RequestBody(vertx, http, limits, route);
    }

    private void arrived(Buffer part) {
        if (isRefused) {
            return; // what a client goes on sending is dropped
        }
        if (body.length() + part.length() > limits.messageBytes()) {
            refuse(ApiError.refused(
                    413,
                    "request_too_large",
                    "the body is larger than " + limits.messageBytes() + " bytes; send a smaller one"));
        } else {
            body.appendBuffer(part);
        }
    }

    private void complete() {
        if (isRefused) {
            return;
        }
        try {
            route.accept(body.toString());
        } catch (RuntimeException e) {
            http.fail(e);
        }
    }

    private void late() {
        if (!isRefused) {
            refuse(ApiError.refused(408, "body_timeout", "the body did not arrive in time; send it again"));
        }
        request.connection().close();
    }

    private void refuse(ApiError error) {
        isRefused = true;
        http.fail(new ProtocolException(error));
    }
}
