package dev.weir.server;

import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import java.time.Duration;

/** Pings a WebSocket and hangs up if two pings in a row go unanswered. Owned by the context of the socket. */
final class Heartbeat {
    private final Vertx vertx;
    private final ServerWebSocket socket;
    private final long timer;
    private int unanswered;

    Heartbeat(Vertx vertx, ServerWebSocket socket, Duration interval) {
        this.vertx = vertx;
        this.socket = socket;
        socket.pongHandler(_ -> unanswered = 0);
        timer = vertx.setPeriodic(interval.toMillis(), _ -> ping());
    }

    void stop() {
        vertx.cancelTimer(timer);
    }

    private void ping() {
        if (unanswered >= 2) {
            socket.close((short) WebSocketCloseStatus.ENDPOINT_UNAVAILABLE.code(), "two pings went unanswered");
            return;
        }
        unanswered++;
        socket.writePing(Buffer.buffer());
    }
}
