package dev.weir.loadtest;

import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.http.WebSocketFrame;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A client of the Responses API over one WebSocket, which stays open from answer to answer. Owner: the event loop of
 * the run. Frames are read as bytes where they arrive; no string is made of a delta.
 */
final class ResponsesSocketClient implements GenerationClient {

    private static final short NORMAL_CLOSURE = 1000;

    private final WebSocketClient webSockets;
    private final Target target;
    private final LoadClock clock;
    private final AnswerStream answer = new AnswerStream(Api.RESPONSES);

    private @Nullable WebSocket socket;
    /** Counts connections, so that callbacks of one that was given up are recognised. */
    private int generation;

    /** Of the answer under way. */
    private @Nullable AnswerListener listener;
    /** Of that answer or, between answers, of the one before. */
    private @Nullable AnswerListener latest;

    // A message of several frames so far, and room for the bytes of a frame.
    private byte[] message = new byte[4096];
    private int messageLength;

    ResponsesSocketClient(WebSocketClient webSockets, Target target, LoadClock clock) {
        this.webSockets = webSockets;
        this.target = target;
        this.clock = clock;
    }

    @Override
    public void generate(String body, AnswerListener newListener) {
        listener = newListener;
        latest = newListener;
        answer.begin(newListener);
        if (socket != null) {
            send(socket, body, 0);
        } else {
            connect(body);
        }
    }

    @Override
    public void abort() {
        listener = null;
        drop();
    }

    private void connect(String body) {
        int mine = ++generation;
        messageLength = 0;
        long began = clock.nanoTime();
        webSockets.connect(connectOptions()).onComplete(result -> {
            if (mine != generation) {
                if (result.succeeded()) {
                    var _ = result.result().close(NORMAL_CLOSURE);
                }
            } else if (result.succeeded()) {
                WebSocket opened = result.result();
                socket = opened;
                opened.frameHandler(frame -> frame(mine, frame));
                opened.exceptionHandler(error -> broken(mine, error));
                opened.closeHandler(_ -> closed(mine, opened));
                send(opened, body, Math.max(1, clock.nanoTime() - began));
            } else {
                refused(result.cause());
            }
        });
    }

    private WebSocketConnectOptions connectOptions() {
        WebSocketConnectOptions options = new WebSocketConnectOptions()
                .setHost(target.host())
                .setPort(target.port())
                .setSsl(target.isTls())
                .setURI(target.uri(target.api().path()));
        options.setMethod(HttpMethod.GET);
        options.setConnectTimeout(target.connectTimeout().toMillis());
        options.setTimeout(target.connectTimeout().toMillis());
        if (target.apiKey() != null) {
            options.putHeader("Authorization", "Bearer " + target.apiKey());
        }
        return options;
    }

    private void send(WebSocket open, String body, long connectNanos) {
        AnswerListener current = listener;
        if (current == null) {
            return;
        }
        current.sent(clock.nanoTime(), connectNanos);
        open.writeTextMessage(body).onFailure(error -> broken(generation, error));
    }

    private void frame(int mine, WebSocketFrame frame) {
        if (mine != generation || !(frame.isText() || frame.isBinary() || frame.isContinuation())) {
            return;
        }
        long now = clock.nanoTime();
        Buffer data = frame.binaryData();
        int length = data.length();
        if (message.length < messageLength + length) {
            message = Arrays.copyOf(message, Math.max(message.length * 2, messageLength + length));
        }
        data.getBytes(message, messageLength);
        messageLength += length;
        if (frame.isFinal()) {
            int whole = messageLength;
            messageLength = 0;
            event(whole, now);
        }
    }

    private void event(int length, long now) {
        // After the outcome the stream still checks what comes: an idle socket must be silent.
        answer.event(message, 0, length, now);
        Outcome outcome = answer.outcome();
        if (outcome == null) {
            return;
        }
        if (outcome instanceof Outcome.Failed failed && failed.kind() == ErrorKind.PROTOCOL_VIOLATION) {
            drop(); // what else this socket brings cannot be told apart any more
            if (listener == null && latest != null) {
                latest.strayed(now, failed);
            }
        }
        finish(answer.endNanos(), outcome);
    }

    private void finish(long nowNanos, Outcome outcome) {
        AnswerListener ending = listener;
        listener = null;
        if (ending != null) {
            ending.ended(nowNanos, outcome);
        }
    }

    private void refused(Throwable cause) {
        long now = clock.nanoTime();
        Outcome.Failed failure = cause instanceof UpgradeRejectedException rejected
                ? new Outcome.Failed(
                        ErrorKind.HANDSHAKE,
                        Integer.toString(rejected.getStatus()),
                        ErrorBody.message(rejected.getBody()))
                : new Outcome.Failed(ErrorKind.CONNECT, "", Failures.describe(cause));
        generation++;
        finish(now, failure);
    }

    private void broken(int mine, Throwable cause) {
        if (mine != generation) {
            return;
        }
        long now = clock.nanoTime();
        drop();
        if (cause instanceof CorruptedWebSocketFrameException) {
            finish(now, new Outcome.Failed(ErrorKind.PROTOCOL_VIOLATION, "frame", Failures.describe(cause)));
        } else {
            finish(now, new Outcome.Failed(ErrorKind.CLOSED_EARLY, "", Failures.describe(cause)));
        }
    }

    private void closed(int mine, WebSocket closed) {
        if (mine != generation) {
            return;
        }
        generation++;
        socket = null;
        Short code = closed.closeStatusCode();
        String reason = closed.closeReason();
        finish(
                clock.nanoTime(),
                new Outcome.Failed(
                        ErrorKind.CLOSED_EARLY,
                        code == null ? "" : code.toString(),
                        reason == null || reason.isEmpty() ? "the WebSocket was closed" : reason));
    }

    private void drop() {
        generation++;
        WebSocket open = socket;
        socket = null;
        if (open != null) {
            var _ = open.close(NORMAL_CLOSURE);
        }
    }
}
