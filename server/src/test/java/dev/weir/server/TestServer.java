package dev.weir.server;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineStats;
import dev.weir.engine.PrefixPool;
import io.vertx.core.Vertx;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import io.vertx.core.http.WebSocketConnectOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A server over real sockets with a {@link FakeModel}. Closing it fails if an event loop was ever blocked. */
final class TestServer implements AutoCloseable {
    static final String MODEL = "fake";

    /** What opens a WebSocket by hand. */
    static final String HANDSHAKE = String.join(
            "\r\n",
            "GET /v1/responses HTTP/1.1",
            "Host: x",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            "",
            "");

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    final FakeModel model;
    final Services services;
    final WeirServer server;
    private final Vertx clientVertx = Vertx.vertx();
    private final WebSocketClient webSockets =
            clientVertx.createWebSocketClient(new WebSocketClientOptions().setMaxFrameSize(8 << 20));
    private final HttpClient http = HttpClient.newHttpClient();
    private final EventLoopWatch watch = new EventLoopWatch();

    /** How big the server is. */
    record Size(int slots, int queued, int maxTokens, long stepNanos, ServerLimits limits, PrefixPool prefixPool) {
        static final Size SMALL = new Size(4, 8, 512, 0, ServerLimits.DEFAULT, PrefixPool.NONE);

        Size withSlots(int newSlots, int newQueued) {
            return new Size(newSlots, newQueued, maxTokens, stepNanos, limits, prefixPool);
        }

        Size withStepNanos(long nanos) {
            return new Size(slots, queued, maxTokens, nanos, limits, prefixPool);
        }

        Size withMaxTokens(int tokens) {
            return new Size(slots, queued, tokens, stepNanos, limits, prefixPool);
        }

        Size withLimits(ServerLimits newLimits) {
            return new Size(slots, queued, maxTokens, stepNanos, newLimits, prefixPool);
        }

        Size withPrefixPool(PrefixPool pool) {
            return new Size(slots, queued, maxTokens, stepNanos, limits, pool);
        }
    }

    TestServer(Size size) {
        this(size, null, Origins.OWN, null);
    }

    /** A server that asks for one of these keys; null asks for none. */
    TestServer(Size size, @Nullable KeyRing keys) {
        this(size, keys, Origins.OWN, null);
    }

    TestServer(Size size, @Nullable KeyRing keys, Origins origins, @Nullable TlsFiles tls) {
        this(size, keys, origins, tls, new MemoryStore(100, 1 << 20));
    }

    /** A server that keeps responses in a store, which it closes. */
    TestServer(Size size, @Nullable KeyRing keys, Store store) {
        this(size, keys, Origins.OWN, null, store);
    }

    private TestServer(Size size, @Nullable KeyRing keys, Origins origins, @Nullable TlsFiles tls, Store store) {
        model = new FakeModel(size.slots(), size.maxTokens(), size.stepNanos(), size.prefixPool());
        Metrics metrics = new Metrics(MODEL);
        Engine engine = Engine.start(model, EngineConfig.DEFAULT.withMaxQueuedRequests(size.queued()), metrics);
        ModelService service = new ModelService(
                MODEL,
                TestModelFolder.tokenizer(),
                TestModelFolder.template(),
                new GenerationDefaults(0.5, 0.9, 8, List.of("zz")),
                engine);
        services = new Services(
                service,
                new Admission(engine::stats),
                metrics,
                size.limits(),
                new Responses(size.limits().resume(), store),
                new Conversations(store, size.limits().messageBytes()),
                keys,
                origins);
        try {
            server = WeirServer.start(services, "127.0.0.1", 0, tls, 2, watch.options());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static TestServer small() {
        return new TestServer(Size.SMALL);
    }

    URI uri(String path) {
        return URI.create(server.url() + path);
    }

    /** A client as the JDK makes it: it offers to upgrade to HTTP/2. */
    HttpClient http() {
        return http;
    }

    HttpResponse<String> post(String path, String body) {
        return send(HttpRequest.newBuilder(uri(path))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    HttpResponse<String> get(String path) {
        return send(HttpRequest.newBuilder(uri(path)).build());
    }

    HttpResponse<String> send(HttpRequest request) {
        try {
            return http.send(
                    HttpRequest.newBuilder(request, (_, _) -> true)
                            .timeout(Duration.ofSeconds(60))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A WebSocket that collects what it receives. */
    TestSocket socket() {
        return socket(new WebSocketConnectOptions()
                .setHost("127.0.0.1")
                .setPort(server.port())
                .setURI("/v1/responses"));
    }

    TestSocket socket(WebSocketConnectOptions options) {
        return new TestSocket(webSockets
                .connect(options)
                .toCompletionStage()
                .toCompletableFuture()
                .orTimeout(10, TimeUnit.SECONDS)
                .join());
    }

    /** Waits until something holds, which other threads bring about. */
    static void await(Supplier<String> what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("in vain waited for " + what.get());
            }
            LockSupport.parkNanos(500_000);
        }
    }

    /** Waits until no sequence runs or waits and no turn is open. */
    void awaitIdle() {
        await(
                () -> "an idle engine: " + services.model().stats() + ", turns "
                        + services.admission().inFlight(),
                () -> {
                    EngineStats stats = services.model().stats();
                    return stats.running()
                                    + stats.parked()
                                    + stats.waiting()
                                    + services.admission().inFlight()
                            == 0;
                });
    }

    @Override
    public void close() {
        model.release();
        http.close();
        clientVertx.close().toCompletionStage().toCompletableFuture().join();
        server.close();
        watch.close();
    }
}
