package dev.weir.server;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.net.ServerSSLOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The running server: event loops, their connections and the model. Started and closed by one thread, which must be no event
 * loop.
 */
final class WeirServer implements AutoCloseable {
    private static final Duration START_PATIENCE = Duration.ofSeconds(30);

    /** How long a change of the key file or the certificate may go unseen. */
    private static final long REFRESH_MILLIS = 500;

    /** To Vert.x any negative port is a free one, and all servers that name the same get the same. */
    private static final int ANY_SHARED_PORT = -1;

    private final Vertx vertx;
    private final Services services;
    private final String host;
    private final int port;
    private final boolean isSecure;
    private final List<HttpVerticle> verticles;

    private WeirServer(Vertx vertx, Services services, String host, List<HttpVerticle> verticles, boolean isSecure) {
        this.vertx = vertx;
        this.services = services;
        this.host = host;
        this.verticles = List.copyOf(verticles);
        port = verticles.getFirst().port();
        this.isSecure = isSecure;
    }

    /**
     * Listens on a port, 0 for a free one, and takes over the model.
     *
     * @param tls the certificate to show; null for plain http
     * @throws IOException if the port cannot be had
     * @throws IllegalArgumentException if the certificate cannot be used
     */
    static WeirServer start(
            Services services, String host, int port, @Nullable TlsFiles tls, int eventLoops, VertxOptions options)
            throws IOException {
        services.metrics().observe(services.model()::stats, services.admission()::inFlight, services.responses());
        Vertx vertx = Vertx.vertx(options.setEventLoopPoolSize(eventLoops).setPreferNativeTransport(true));
        KeyRing keys = services.keys();
        if (keys != null) {
            vertx.setPeriodic(
                    REFRESH_MILLIS,
                    _ -> vertx.executeBlocking(() -> {
                        keys.refresh();
                        return keys;
                    }));
        }
        try {
            int shared = port == 0 ? ANY_SHARED_PORT : port;
            ServerSSLOptions certificate = tls == null ? null : tls.read(vertx);
            List<HttpVerticle> verticles = new ArrayList<>();
            for (int i = 0; i < eventLoops; i++) {
                verticles.add(new HttpVerticle(services, host, shared, certificate));
                await(vertx, verticles.getLast());
            }
            if (tls != null) {
                vertx.setPeriodic(REFRESH_MILLIS, _ -> refresh(vertx, tls, verticles.getFirst()));
            }
            return new WeirServer(vertx, services, host, verticles, tls != null);
        } catch (IOException | IllegalArgumentException e) {
            vertx.close();
            throw e;
        }
    }

    int port() {
        return port;
    }

    /** Where clients connect. */
    String url() {
        String shown = host.contains(":") ? "[" + host + "]" : host;
        return (isSecure ? "https://" : "http://") + shown + ":" + port;
    }

    /** Admits nobody from now on, waits for those under way, up to a limit, and ends what is left as it is. */
    void drain(Duration patience) throws InterruptedException {
        new Drain(services, verticles).run(patience);
    }

    /** Closes sockets with 1001, then the event loops, then the model. */
    @Override
    public void close() {
        services.admission().drain();
        services.responses().abandonAll(); // while there are event loops to do it on
        try {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        } catch (CompletionException e) {
            Logs.SERVER.warn("the event loops did not close in good order", e);
        } finally {
            services.model().close();
            services.responses().store().close();
        }
    }

    /** Shows a new certificate if there is one that can be used. */
    private static void refresh(Vertx vertx, TlsFiles tls, HttpVerticle verticle) {
        vertx.executeBlocking(() -> tls.hasChanged() ? tls.read(vertx) : null)
                .compose(changed -> changed == null
                        ? Future.succeededFuture()
                        : verticle.changeTo(changed)
                                .onSuccess(_ -> Logs.SERVER.info("new connections are shown the new certificate")))
                .onFailure(cause ->
                        Logs.SERVER.warn("{}; the certificate that was shown before still is", cause.getMessage()));
    }

    private static void await(Vertx vertx, HttpVerticle verticle) throws IOException {
        try {
            vertx.deployVerticle(verticle)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(START_PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IOException(reason(e.getCause()), e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("the server did not start within " + START_PATIENCE.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while starting", e);
        }
    }

    private static String reason(@Nullable Throwable cause) {
        return cause == null || cause.getMessage() == null ? String.valueOf(cause) : cause.getMessage();
    }
}
