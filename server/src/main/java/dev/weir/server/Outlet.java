package dev.weir.server;

import dev.weir.protocol.ApiError;

/** Where a connection receives one response: a stream of server-sent events, a lane of a WebSocket, a body. Owned by the connection. */
interface Outlet {
    /** Tells the client that events will follow. */
    void open();

    /** Sends one event. */
    void send(String type, String json);

    /** Tells the client that nothing will be sent for its request. */
    void refuse(ApiError error, long retryAfterSeconds);

    /**
     * Tells the client, after what was sent before, why no more events come here though the response goes on.
     *
     * @param lastNumber number of the last event that was sent
     */
    void breakOff(ApiError error, int lastNumber);

    /** No more events. */
    void close();

    boolean isFull();
}
