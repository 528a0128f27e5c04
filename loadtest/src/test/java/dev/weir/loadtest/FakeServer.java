package dev.weir.loadtest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.protocol.ChunkWriter;
import dev.weir.protocol.Replies;
import dev.weir.protocol.Usage;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.internal.http.WebSocketInternal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * A small OpenAI-compatible server that answers as a test tells it: on a WebSocket and as server-sent events. It runs
 * on an event loop of its own and counts connections and requests.
 */
final class FakeServer implements AutoCloseable {

    /** Where an answer goes. */
    interface Stream {
        void send(String json);

        /** Ends the answer in good order; a WebSocket stays open. */
        void end();

        /** Breaks the TCP connection. */
        void die();
    }

    /** How requests are answered. */
    interface Behaviour {
        void answer(JsonNode request, Stream stream, int number);
    }

    static final String MODEL = "fake-1";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Vertx vertx = Vertx.vertx();
    private final HttpServer http;
    private final Behaviour behaviour;
    private final AtomicInteger requests = new AtomicInteger();

    final AtomicInteger sockets = new AtomicInteger();
    final Queue<JsonNode> bodies = new ConcurrentLinkedQueue<>();
    final Queue<String> authorizations = new ConcurrentLinkedQueue<>();

    // What a test may change before the first request.
    volatile int handshakeStatus = 101;
    volatile int httpStatus = 200;
    volatile boolean hasTokenizer = true;
    volatile String contentType = "text/event-stream; charset=utf-8";
    volatile SocketScript socketScript = (_, _) -> false;

    /** Takes over a socket's message; false leaves it to the behaviour. */
    interface SocketScript {
        boolean take(ServerWebSocket socket, int number);
    }

    FakeServer(Behaviour behaviour) {
        this.behaviour = behaviour;
        http = vertx.createHttpServer(
                        new HttpServerOptions().setHost("127.0.0.1").setPort(0))
                .webSocketHandshakeHandler(handshake -> {
                    if (handshakeStatus == 101) {
                        var _ = handshake.accept();
                    } else {
                        var _ = handshake.reject(handshakeStatus);
                    }
                })
                .webSocketHandler(this::socket)
                .requestHandler(this::request)
                .listen()
                .await();
    }

    String url() {
        return "http://127.0.0.1:" + http.actualPort();
    }

    int requests() {
        return requests.get();
    }

    /** Answers every Responses request with these events. */
    static Behaviour events(List<String> events) {
        return (_, stream, _) -> {
            events.forEach(stream::send);
            stream.end();
        };
    }

    /** Answers chat and completions with {@code max_tokens} deltas of one token each and the usage. */
    static Behaviour chunks(ChunkWriter.Kind kind) {
        return (request, stream, _) -> {
            int tokens = request.path("max_tokens")
                    .asInt(request.path("max_completion_tokens").asInt());
            ChunkWriter writer = new ChunkWriter(kind, "id", 1, MODEL, true);
            IntStream.range(0, tokens).forEach(i -> stream.send(writer.text(0, "t" + i, List.of())));
            stream.send(writer.finish(0, "length"));
            stream.send(writer.usage(new Usage(request.path("prompt").size(), tokens)));
            stream.send(ChunkWriter.DONE);
            stream.end();
        };
    }

    private void socket(ServerWebSocket socket) {
        sockets.incrementAndGet();
        authorizations.add(String.valueOf(socket.headers().get("Authorization")));
        socket.textMessageHandler(text -> {
            int number = requests.getAndIncrement();
            if (socketScript.take(socket, number)) {
                return;
            }
            behaviour.answer(
                    parse(text),
                    new Stream() {
                        @Override
                        public void send(String json) {
                            var _ = socket.writeTextMessage(json);
                        }

                        @Override
                        public void end() {}

                        @Override
                        public void die() {
                            // Vert.x closes a WebSocket politely; its channel dies like that of a killed server.
                            afterFlush(() -> {
                                var _ = ((WebSocketInternal) socket)
                                        .channelHandlerContext()
                                        .close();
                            });
                        }
                    },
                    number);
        });
    }

    /** Writes of one pass of the event loop leave at its end; a channel closed before that would lose them. */
    private void afterFlush(Runnable action) {
        vertx.runOnContext(_ -> action.run());
    }

    private void request(HttpServerRequest request) {
        if (request.path().equals("/v1/models")) {
            var _ = request.response().end(Replies.models(MODEL, 1, 1024));
            return;
        }
        var _ = request.body().onSuccess(body -> {
            if (request.path().equals("/tokenize")) {
                tokenize(parse(body.toString()), request.response());
                return;
            }
            int number = requests.getAndIncrement();
            authorizations.add(String.valueOf(request.getHeader("Authorization")));
            if (httpStatus != 200) {
                var _ = request.response()
                        .setStatusCode(httpStatus)
                        .end("{\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\",\"code\":null}}");
                return;
            }
            HttpServerResponse response = request.response().setChunked(true).putHeader("Content-Type", contentType);
            behaviour.answer(
                    parse(body.toString()),
                    new Stream() {
                        @Override
                        public void send(String json) {
                            var _ = response.write("data: " + json + "\n\n");
                        }

                        @Override
                        public void end() {
                            var _ = response.end();
                        }

                        @Override
                        public void die() {
                            afterFlush(() -> {
                                var _ = request.connection().close();
                            });
                        }
                    },
                    number);
        });
    }

    /** One token per word, numbered by its length. */
    private void tokenize(JsonNode request, HttpServerResponse response) {
        if (!hasTokenizer || !request.has("prompt")) {
            var _ = response.setStatusCode(404).end();
            return;
        }
        int[] ids = request.path("prompt")
                .textValue()
                .lines()
                .flatMap(line -> List.of(line.split(" ")).stream())
                .mapToInt(String::length)
                .toArray();
        var _ = response.end(Replies.tokens(ids, 1024, null));
    }

    private JsonNode parse(String json) {
        try {
            JsonNode node = MAPPER.readTree(json);
            bodies.add(node);
            return node;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        vertx.close().await();
    }
}
