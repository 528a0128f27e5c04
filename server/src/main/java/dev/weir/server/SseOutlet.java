package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.EventWriter;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;

/**
 * A stream of server-sent events as the body of one HTTP reply. Owned by the context of its connection.
 */
final class SseOutlet implements Outlet {
    private final HttpServerResponse response;

    SseOutlet(HttpServerResponse response) {
        this.response = response;
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
    public void breakOff(ApiError error, int lastNumber) {
        send("error", EventWriter.brokenOff(error, lastNumber));
        close();
    }

    @Override
    public void close() {
        if (!response.closed() && !response.ended()) {
            response.end();
        }
    }

    @Override
    public boolean isFull() {
        return response.closed() || response.writeQueueFull();
    }

    private void write(String event) {
        if (!response.closed()) {
            response.write(event);
        }
    }
}
