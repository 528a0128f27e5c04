package dev.weir.loadtest;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientConnection;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpConnectOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A client that posts each request over one HTTP/1.1 connection of its own and reads the answer as server-sent events.
 * Owner: the event loop of the run. The connection is kept between answers where the server keeps it; one that was used before and
 * ends without a byte of the answer was closed by then, and the request goes over a new one, as browsers and curl do it.
 */
final class SseClient implements GenerationClient {

    private final HttpClientAgent http;
    private final Target target;
    private final LoadClock clock;
    private final AnswerStream answer;
    private final SseParser parser = new SseParser();

    private @Nullable HttpClientConnection connection;
    /** Counts exchanges and connections given up, so that their late callbacks are recognised. */
    private int generation;

    private @Nullable AnswerListener listener;
    /** What is sent again if nothing comes of it, as it went over a connection that was used before; null for nothing. */
    private @Nullable String repeatable;

    private long arrivalNanos;
    private byte[] chunk = new byte[4096];

    SseClient(HttpClientAgent http, Target target, LoadClock clock) {
        this.http = http;
        this.target = target;
        this.clock = clock;
        this.answer = new AnswerStream(target.api());
    }

    @Override
    public void generate(String body, AnswerListener newListener) {
        int mine = ++generation;
        listener = newListener;
        answer.begin(newListener);
        parser.reset();
        repeatable = null;
        if (connection != null) {
            repeatable = body;
            request(mine, connection, body, 0);
        } else {
            connect(mine, body);
        }
    }

    @Override
    public void abort() {
        listener = null;
        drop();
    }

    private void connect(int mine, String body) {
        HttpConnectOptions options = new HttpConnectOptions()
                .setHost(target.host())
                .setPort(target.port())
                .setSsl(target.isTls())
                .setConnectTimeout(target.connectTimeout().toMillis());
        long began = clock.nanoTime();
        http.connect(options).onComplete(result -> {
            if (mine != generation) {
                if (result.succeeded()) {
                    var _ = result.result().close();
                }
            } else if (result.succeeded()) {
                HttpClientConnection opened = result.result();
                connection = opened;
                opened.exceptionHandler(_ -> {}); // what matters of it reaches the answer under way
                opened.closeHandler(_ -> {
                    if (opened.equals(connection)) {
                        connection = null;
                    }
                });
                request(mine, opened, body, Math.max(1, clock.nanoTime() - began));
            } else {
                fail(mine, ErrorKind.CONNECT, "", Failures.describe(result.cause()));
            }
        });
    }

    private void request(int mine, HttpClientConnection open, String body, long connectNanos) {
        RequestOptions options = new RequestOptions()
                .setMethod(HttpMethod.POST)
                .setHost(target.host())
                .setPort(target.port())
                .setURI(target.uri(target.api().path()))
                .putHeader("Content-Type", "application/json")
                .putHeader("Accept", "text/event-stream");
        if (target.apiKey() != null) {
            options.putHeader("Authorization", "Bearer " + target.apiKey());
        }
        open.request(options).onComplete(result -> {
            if (mine != generation) {
                return;
            }
            if (result.succeeded()) {
                send(mine, result.result(), body, connectNanos);
            } else {
                broken(mine, result.cause());
            }
        });
    }

    private void send(int mine, HttpClientRequest request, String body, long connectNanos) {
        AnswerListener current = listener;
        if (current == null) {
            return;
        }
        current.sent(clock.nanoTime(), connectNanos);
        request.send(body).onComplete(result -> {
            if (mine != generation) {
                return;
            }
            if (result.succeeded()) {
                response(mine, result.result());
            } else {
                broken(mine, result.cause());
            }
        });
    }

    private void response(int mine, HttpClientResponse response) {
        repeatable = null;
        boolean isLast = "close".equalsIgnoreCase(response.getHeader("Connection"));
        if (response.statusCode() != 200) {
            response.body().onComplete(body -> {
                if (isLast || body.failed()) {
                    forgetConnection(mine);
                }
                fail(
                        mine,
                        ErrorKind.HTTP_STATUS,
                        Integer.toString(response.statusCode()),
                        body.succeeded() ? ErrorBody.message(body.result()) : Failures.describe(body.cause()));
            });
            return;
        }
        String contentType = response.getHeader("Content-Type");
        if (contentType == null || !contentType.toLowerCase(Locale.ROOT).startsWith("text/event-stream")) {
            dropAndFail(
                    mine,
                    ErrorKind.PROTOCOL_VIOLATION,
                    "answered " + contentType + " instead of text/event-stream: does the server stream?");
            return;
        }
        response.handler(buffer -> bytes(mine, buffer));
        response.exceptionHandler(error -> broken(mine, error));
        response.endHandler(_ -> {
            if (mine != generation) {
                return;
            }
            if (isLast) {
                forgetConnection(mine);
            }
            answer.endOfStream(clock.nanoTime());
            finish(mine);
        });
    }

    private void bytes(int mine, Buffer buffer) {
        if (mine != generation) {
            return;
        }
        arrivalNanos = clock.nanoTime();
        int length = buffer.length();
        if (chunk.length < length) {
            chunk = new byte[Math.max(chunk.length * 2, length)];
        }
        buffer.getBytes(chunk);
        parser.accept(chunk, 0, length, (data, offset, count) -> answer.event(data, offset, count, arrivalNanos));
        if (answer.outcome() instanceof Outcome.Failed) {
            drop();
            finish(generation);
        }
    }

    private void broken(int mine, Throwable cause) {
        if (mine != generation) {
            return;
        }
        String body = repeatable;
        if (body != null) {
            repeatable = null;
            drop();
            connect(generation, body);
            return;
        }
        if (answer.outcome() == null) {
            answer.fail(ErrorKind.CLOSED_EARLY, "", Failures.describe(cause), clock.nanoTime());
        }
        drop();
        finish(generation);
    }

    private void dropAndFail(int mine, ErrorKind kind, String message) {
        if (mine == generation) {
            drop();
            fail(generation, kind, "", message);
        }
    }

    private void fail(int mine, ErrorKind kind, String code, String message) {
        if (mine == generation) {
            answer.fail(kind, code, message, clock.nanoTime());
            finish(mine);
        }
    }

    private void finish(int mine) {
        Outcome outcome = answer.outcome();
        AnswerListener ending = listener;
        if (mine != generation || outcome == null || ending == null) {
            return;
        }
        generation++;
        listener = null;
        ending.ended(answer.endNanos(), outcome);
    }

    private void forgetConnection(int mine) {
        if (mine == generation) {
            connection = null;
        }
    }

    private void drop() {
        generation++;
        HttpClientConnection open = connection;
        connection = null;
        if (open != null) {
            var _ = open.close();
        }
    }
}
