package dev.weir.server;

import dev.weir.protocol.ApiError;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;

/**
 * A stream of server-sent events as the body of one HTTP reply. Owned by the context of its connection. A client that leaves
 * the stream full for longer than the stall timeout is dropped.
 */
final class SseOutlet implements Outlet {
    private static final long NO_TIMER = -1;

    private final Vertx vertx;
    private final HttpServerResponse response;
    private final Duration stallTimeout;
    private long stallTimer = NO_TIMER;

    SseOutlet(Vertx vertx, HttpServerResponse response, Duration stallTimeout) {
        this.vertx = vertx;
        this.response = response;
        this.stallTimeout = stallTimeout;
    }

    @Override
    public void open() {
        if (!response.closed()) {
            response.setChunked(true)
                    .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream; charset=utf-8")
                    .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
                    .putHeader("X-Accel-Buffering", "no"); // a proxy must not hold tokens back
            response.writeHead();
        }
    }

    @Override
    public void send(String type, String json) {
        write("event: " + type + "\ndata: " + json + "\n\n");
    }

    /** Sends an event without a type. */
    void send(String data) {
        write("data: " + data + "\n\n");
    }

    @Override
    public void refuse(ApiError error, long retryAfterSeconds) {
        HttpReplies.error(response, error, retryAfterSeconds);
    }

    @Override
    public void close() {
        stopWatching();
        if (!response.closed() && !response.ended()) {
            response.end();
        }
    }

    @Override
    public boolean isFull() {
        return response.closed() || response.writeQueueFull();
    }

    /** The client has read; it may stall again. */
    void drained() {
        stopWatching();
    }

    /** The connection is gone. */
    void closed() {
        stopWatching();
    }

    private void write(String event) {
        if (response.closed()) {
            return;
        }
        response.write(event);
        if (stallTimer == NO_TIMER && response.writeQueueFull()) {
            stallTimer = vertx.setTimer(stallTimeout.toMillis(), _ -> response.reset());
        }
    }

    private void stopWatching() {
        if (stallTimer != NO_TIMER) {
            vertx.cancelTimer(stallTimer);
            stallTimer = NO_TIMER;
        }
    }
}
