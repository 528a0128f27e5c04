package dev.weir.server;

import java.time.Duration;

/**
 * What one connection may cost, in memory, time and frames. Immutable; any thread.
 *
 * @param messageBytes bytes of a request body or a WebSocket message
 * @param inFlight responses that one WebSocket may ask for or take up again before some of them have ended
 * @param lanes named lanes of one WebSocket
 * @param bodyTimeout time for a request body to arrive
 * @param idleTimeout time after which a connection without a request is closed
 * @param stallTimeout time after which a stream that its client does not read ends; a client that then reads nothing for as
 *     long again is dropped
 * @param streamInterval in which the tokens of a stream gather that come sooner than half of it; 0 sends each by itself
 * @param pingInterval time between pings; a WebSocket that answers none of two in a row is dropped
 * @param resume what is kept of responses whose connections are gone
 */
record ServerLimits(
        int messageBytes,
        int inFlight,
        int lanes,
        Duration bodyTimeout,
        Duration idleTimeout,
        Duration stallTimeout,
        Duration streamInterval,
        Duration pingInterval,
        ResumeLimits resume) {
    static final ServerLimits DEFAULT = new ServerLimits(
            1 << 20,
            16,
            32,
            Duration.ofSeconds(30),
            Duration.ofSeconds(75),
            Duration.ofSeconds(60),
            Duration.ofMillis(30),
            Duration.ofSeconds(20),
            ResumeLimits.DEFAULT);

    ServerLimits withStreamInterval(Duration interval) {
        return new ServerLimits(
                messageBytes, inFlight, lanes, bodyTimeout, idleTimeout, stallTimeout, interval, pingInterval, resume);
    }

    ServerLimits withStallTimeout(Duration timeout) {
        return new ServerLimits(
                messageBytes, inFlight, lanes, bodyTimeout, idleTimeout, timeout, streamInterval, pingInterval, resume);
    }

    ServerLimits withResume(ResumeLimits limits) {
        return new ServerLimits(
                messageBytes,
                inFlight,
                lanes,
                bodyTimeout,
                idleTimeout,
                stallTimeout,
                streamInterval,
                pingInterval,
                limits);
    }
}
