package dev.weir.server;

import java.time.Duration;

/**
 * What one connection may cost, in memory, time and frames. Immutable; any thread.
 *
 * @param messageBytes bytes of a request body or a WebSocket message
 * @param inFlight responses of one WebSocket that have not ended
 * @param bodyTimeout time for a request body to arrive
 * @param idleTimeout time after which a connection without a request is closed
 * @param stallTimeout time after which a client that does not read its stream is dropped
 * @param streamInterval least time between two deltas of a stream, in which its tokens gather; 0 sends each by itself
 * @param pingInterval time between pings; a WebSocket that answers none of two in a row is dropped
 */
record ServerLimits(
        int messageBytes,
        int inFlight,
        Duration bodyTimeout,
        Duration idleTimeout,
        Duration stallTimeout,
        Duration streamInterval,
        Duration pingInterval) {
    static final ServerLimits DEFAULT = new ServerLimits(
            1 << 20,
            16,
            Duration.ofSeconds(30),
            Duration.ofSeconds(75),
            Duration.ofSeconds(60),
            Duration.ofMillis(30),
            Duration.ofSeconds(20));

    ServerLimits withStreamInterval(Duration interval) {
        return new ServerLimits(messageBytes, inFlight, bodyTimeout, idleTimeout, stallTimeout, interval, pingInterval);
    }
}
