package dev.weir.server;

import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.List;

/**
 * The end of a server's work. Nothing new begins, and WebSockets without work are closed, so that their clients go
 * elsewhere; what runs has some time to end, and then ends as it is. On a thread of its own, no event loop.
 */
final class Drain {
    static final WebSocketCloseStatus RESTART = WebSocketCloseStatus.SERVICE_RESTART;
    static final String RESTARTING = "the server is restarting";
    static final WebSocketCloseStatus STOP = WebSocketCloseStatus.ENDPOINT_UNAVAILABLE;
    static final String STOPPING = "the server is stopping";

    /** How long responses that are cut short may take to say so. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(5);

    private static final long POLL_MILLIS = 20;

    private final Services services;
    private final List<HttpVerticle> verticles;

    Drain(Services services, List<HttpVerticle> verticles) {
        this.services = services;
        this.verticles = verticles;
    }

    /** Returns when nothing is under way, after {@code patience} and a moment at the latest. */
    void run(Duration patience) throws InterruptedException {
        services.admission().drain();
        closeIdle(RESTART, RESTARTING);
        int running = services.admission().inFlight();
        if (running > 0) {
            Logs.SERVER.info(
                    "{} requests have {} s to end; a second signal ends them at once", running, patience.toSeconds());
        }
        if (!isQuietWithin(patience)) {
            closeIdle(STOP, STOPPING);
            services.admission().cancelAll();
            isQuietWithin(LAST_WORDS);
        }
    }

    private void closeIdle(WebSocketCloseStatus status, String reason) throws InterruptedException {
        List<Future<?>> all = verticles.stream()
                .<Future<?>>map(verticle -> verticle.closeIdle(status, reason))
                .toList();
        long deadline = System.nanoTime() + LAST_WORDS.toNanos();
        while (!all.stream().allMatch(Future::isComplete) && System.nanoTime() < deadline) {
            Thread.sleep(POLL_MILLIS);
        }
    }

    private boolean isQuietWithin(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (services.admission().inFlight() + services.responses().unsettled() > 0) {
            if (System.nanoTime() >= deadline) {
                return false;
            }
            Thread.sleep(POLL_MILLIS);
        }
        return true;
    }
}
