package dev.weir.server;

import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.net.ServerSSLOptions;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One event loop's share of the connections. Owned by that event loop; instances on the same port take new connections in
 * turn.
 */
final class HttpVerticle extends VerticleBase {
    /** Backstop for connections that never send a request; {@link Connections} knows better about the others. */
    private static final int DEAD_MINUTES = 10;

    private static final int BACKLOG = 1024;

    /**
     * What the kernel holds for a client that does not read. Left to itself it would grow to megabytes: thousands of tokens
     * computed for nobody.
     */
    private static final int SEND_BUFFER_BYTES = 128 * 1024;

    private static final long SWEEP_MILLIS = 5_000;

    /** How long a socket may outlive its key. */
    private static final long REVOCATION_MILLIS = 500;

    private final @Nullable ServerSSLOptions tls;
    private final Services services;
    private final String host;
    private final int port;
    private final Set<WebSocketSession> sessions = new HashSet<>();
    private HttpServer server;

    @SuppressWarnings("NullAway.Init") // start() is the first call
    HttpVerticle(Services services, String host, int port, @Nullable ServerSSLOptions tls) {
        this.services = services;
        this.host = host;
        this.port = port;
        this.tls = tls;
    }

    @Override
    public Future<?> start() {
        Connections connections = new Connections(services.limits().idleTimeout(), services.metrics());
        long sweepMillis =
                Math.min(SWEEP_MILLIS, services.limits().idleTimeout().toMillis());
        vertx.setPeriodic(sweepMillis, _ -> connections.sweep());
        if (services.keys() != null) {
            vertx.setPeriodic(REVOCATION_MILLIS, _ -> List.copyOf(sessions).forEach(WebSocketSession::closeIfRevoked));
        }
        server = vertx.createHttpServer(options())
                .connectionHandler(connections::opened)
                .requestHandler(new HttpRoutes(services, vertx, this::open).router(connections));
        return server.listen(port, host);
    }

    /** The port that was bound. */
    int port() {
        return server.actualPort();
    }

    /**
     * Closes the WebSockets on which nothing is under way, and the others when that is so. Any thread; the future is completed when
     * all know of it.
     */
    Future<?> closeIdle(WebSocketCloseStatus status, String reason) {
        Promise<Void> done = Promise.promise();
        context.runOnContext(_ -> {
            List.copyOf(sessions).forEach(session -> session.closeWhenIdle(status, reason));
            done.complete();
        });
        return done.future();
    }

    /** Shows another certificate to new connections, on all event loops that share the port. */
    Future<?> changeTo(ServerSSLOptions changed) {
        return server.updateSSLOptions(changed);
    }

    @Override
    public Future<?> stop() {
        List.copyOf(sessions).forEach(session -> session.close(Drain.STOP, Drain.STOPPING));
        return server.shutdown(Duration.ofSeconds(1));
    }

    private void open(ServerWebSocket socket, Caller caller) {
        WebSocketSession[] self = new WebSocketSession[1];
        self[0] = new WebSocketSession(services, vertx, context, socket, caller, () -> sessions.remove(self[0]));
        sessions.add(self[0]);
        if (services.admission().isDraining()) { // since the handshake
            self[0].closeWhenIdle(Drain.RESTART, Drain.RESTARTING);
        }
    }

    private HttpServerOptions options() {
        int messageBytes = services.limits().messageBytes();
        HttpServerOptions options = new HttpServerOptions();
        if (tls != null) {
            options.setSsl(true).setUseAlpn(true).setKeyCertOptions(tls.getKeyCertOptions());
        }
        return options.setTcpNoDelay(true)
                // The kernel drops who does not read or has vanished; a close of ours would wait behind what is unsent.
                // By
                // then a reader of a response has been told and left behind.
                .setTcpUserTimeout(
                        Math.toIntExact(2 * services.limits().stallTimeout().toMillis()))
                .setAcceptBacklog(BACKLOG)
                .setSendBufferSize(SEND_BUFFER_BYTES)
                .setHandle100ContinueAutomatically(true)
                .setMaxWebSocketFrameSize(messageBytes)
                .setMaxWebSocketMessageSize(messageBytes)
                // A delta is too small to be worth compressing, and each socket would pay for the compressor's window.
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setWebSocketSubProtocols(List.of("realtime"))
                .setWebSocketClosingTimeout(2)
                .setIdleTimeout(DEAD_MINUTES)
                .setIdleTimeoutUnit(TimeUnit.MINUTES);
    }
}
