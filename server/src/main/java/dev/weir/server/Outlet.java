package dev.weir.server;

import dev.weir.protocol.ApiError;

/** Where the events of one response go: a stream of server-sent events or a lane of a WebSocket. Owned by the connection. */
interface Outlet {
    /** Tells the client that events will follow. */
    void open();

    /** Sends one event. */
    void send(String type, String json);

    /** Tells the client that nothing will be sent for its request. */
    void refuse(ApiError error, long retryAfterSeconds);

    /** No more events. */
    void close();

    boolean isFull();
}
