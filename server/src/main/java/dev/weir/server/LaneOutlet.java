package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.RequestReader.Origin;

/** The part of a WebSocket that one response is sent to. Owned by the context of the socket. */
final class LaneOutlet implements Outlet {
    private final SocketWriter writer;
    private final Origin origin;

    /** An outlet for what the event from {@code origin} asked for. */
    LaneOutlet(SocketWriter writer, Origin origin) {
        this.writer = writer;
        this.origin = origin;
    }

    @Override
    public void open() {}

    @Override
    public void send(String type, String json) {
        writer.send(json, origin.streamId());
    }

    @Override
    public void refuse(ApiError error, long retryAfterSeconds) {
        writer.sendError(error, origin, retryAfterSeconds);
    }

    @Override
    public void breakOff(ApiError error, int lastNumber) {
        writer.sendError(error, origin, 0);
    }

    @Override
    public void close() {}

    @Override
    public boolean isFull() {
        return writer.isFull();
    }
}
