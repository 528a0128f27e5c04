package dev.weir.server;

import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * The HTTP connections of one event loop, so that those that ask for nothing can be closed. Owned by that event loop. A
 * connection with a request under way is never idle, however long the answer takes.
 */
final class Connections {
    private final long idleNanos;
    private final Metrics metrics;
    private final Map<HttpConnection, Activity> open = new HashMap<>();

    private static final class Activity {
        private int requests;
        private long lastNanos = System.nanoTime();
    }

    Connections(Duration idleTimeout, Metrics metrics) {
        this.metrics = metrics;
        idleNanos = idleTimeout.toNanos();
    }

    /** A connection was made. */
    void opened(HttpConnection connection) {
        open.put(connection, new Activity());
        metrics.connectionOpened();
        connection.closeHandler(_ -> left(connection));
        connection.exceptionHandler(_ -> {}); // what a client breaks is no error of the server's, to be logged as one
    }

    /** A connection has ended, or it carries a WebSocket from now on: then its close handler is never called. */
    void left(HttpConnection connection) {
        if (open.remove(connection) != null) {
            metrics.connectionLeft();
        }
    }

    /** A request came; it lasts until its reply has ended or its connection is gone. */
    void begun(HttpServerRequest request) {
        Activity activity = open.get(request.connection());
        if (activity != null) {
            activity.requests++;
            request.response().endHandler(_ -> {
                activity.requests--;
                activity.lastNanos = System.nanoTime();
            });
        }
    }

    /** Closes what has been idle for too long. */
    void sweep() {
        long now = System.nanoTime();
        for (Map.Entry<HttpConnection, Activity> entry : Map.copyOf(open).entrySet()) {
            Activity activity = entry.getValue();
            if (activity.requests == 0 && now - activity.lastNanos > idleNanos) {
                entry.getKey().close();
            }
        }
    }
}
