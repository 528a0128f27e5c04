package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.RequestReader.Origin;
import dev.weir.protocol.ServerEvent;
import io.vertx.core.http.ServerWebSocket;
import org.jspecify.annotations.Nullable;

/**
 * What a WebSocket sends. Owned by the context of the socket. While the client does not read, the socket is not read either; who
 * has more to send asks {@link #isFull} first.
 */
final class SocketWriter {
    private final ServerWebSocket socket;

    SocketWriter(ServerWebSocket socket) {
        this.socket = socket;
    }

    /** Sends an event in a lane; null is the default lane. */
    void send(String json, @Nullable String streamId) {
        if (socket.isClosed()) {
            return;
        }
        socket.writeTextMessage(EventWriter.inLane(json, streamId));
        if (isFull()) {
            socket.pause(); // who does not read is not read from
        }
    }

    /** Answers an event with an error; {@code retryAfterSeconds} 0 means that trying again does not help. */
    void sendError(ApiError error, Origin origin, long retryAfterSeconds) {
        Long retryAfter = retryAfterSeconds > 0 ? Long.valueOf(retryAfterSeconds) : null;
        send(EventWriter.error(new ServerEvent.Refused(error, origin.eventId(), retryAfter)), origin.streamId());
    }

    boolean isFull() {
        return socket.isClosed() || socket.writeQueueFull();
    }
}
