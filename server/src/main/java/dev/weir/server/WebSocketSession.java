package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ClientEvent;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.RequestReader;
import dev.weir.protocol.RequestReader.Origin;
import dev.weir.protocol.ServerEvent;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One WebSocket in Responses mode: client events in, the events of several responses out. Owned by the context of its
 * connection.
 *
 * <p>Responses that go to the same {@code stream_id} come one after the other in a {@link Lane}, lanes run side by side. A
 * bad event is answered with an {@code error} event and touches nothing else. While the client does not read, the socket is
 * not read either and takes no more events, so that it holds a bounded number of bytes. Responses go on when the socket is
 * gone, for those who take them up again.
 */
final class WebSocketSession {
    private final Services services;
    private final Context context;
    private final ServerWebSocket socket;
    private final Caller caller;
    private final Runnable whenClosed;
    private final Heartbeat heartbeat;
    private final LaneMemory memory = new LaneMemory();
    private final Lanes lanes;
    private final SocketWriter writer;
    private @Nullable Runnable leave;
    private boolean isClosing;
    private boolean isClosed;

    /** Takes over a socket that has just been opened. */
    WebSocketSession(
            Services services,
            Vertx vertx,
            Context context,
            ServerWebSocket socket,
            Caller caller,
            Runnable whenClosed) {
        this.services = services;
        this.context = context;
        this.socket = socket;
        this.caller = caller;
        this.whenClosed = whenClosed;
        lanes = new Lanes(services.limits());
        writer = new SocketWriter(socket);
        services.metrics().socketOpened();
        SocketMessages messages = new SocketMessages(
                services.limits().messageBytes(), this::received, this::receivedBinary, this::broken);
        socket.frameHandler(messages::frame);
        socket.drainHandler(_ -> drained());
        socket.exceptionHandler(this::broken);
        socket.closeHandler(_ -> closed());
        heartbeat = new Heartbeat(vertx, socket, services.limits().pingInterval());
    }

    /** Closes the socket. Its responses go on for a while. */
    void close(WebSocketCloseStatus status, String reason) {
        if (!isClosing && !isClosed) {
            isClosing = true;
            socket.close((short) status.code(), reason);
        }
    }

    /** Closes the socket as soon as nothing is under way on it. */
    void closeWhenIdle(WebSocketCloseStatus status, String reason) {
        leave = () -> close(status, reason);
        leaveIfIdle();
    }

    private void leaveIfIdle() {
        if (leave != null && lanes.isIdle()) {
            leave.run();
        }
    }

    /** Hangs up, and ends the responses, if the API key that opened the socket is no longer good. */
    void closeIfRevoked() {
        if (!caller.isValid()) {
            for (LogReader reader : lanes.current()) {
                if (reader.response() != null) {
                    reader.response().cancel();
                }
            }
            close(WebSocketCloseStatus.POLICY_VIOLATION, "the API key is no longer valid");
        }
    }

    private void received(String message) {
        if (isClosing || isClosed) {
            return;
        }
        try {
            switch (RequestReader.clientEvent(message)) {
                case ClientEvent.Create create -> enter(create, reader -> create(create, reader));
                case ClientEvent.Resume resume ->
                    enter(
                            resume,
                            reader -> Resumption.begin(
                                    services, caller, resume.responseId(), reader, resume.startingAfter()));
                case ClientEvent.Cancel cancel -> cancel(cancel);
                case ClientEvent.Steer steer -> steer(steer);
            }
        } catch (ProtocolException e) {
            services.metrics().refused(e.error());
            writer.sendError(e.error(), RequestReader.origin(message), 0);
        }
    }

    /** Queues an event in its lane; {@code begin} gives it a response to read when its turn comes. */
    private void enter(ClientEvent event, Consumer<LogReader> begin) {
        Outlet outlet = new LaneOutlet(writer, new Origin(event.eventId(), event.streamId()));
        lanes.enter(
                event.streamId(),
                whenOver -> new LogReader(services, context, outlet, () -> {
                    whenOver.run();
                    leaveIfIdle();
                }),
                begin);
    }

    private void create(ClientEvent.Create event, LogReader reader) {
        Keeper keeper = memory.of(event.streamId() == null ? "" : event.streamId());
        long graceMillis = services.limits().resume().grace().toMillis();
        new Response(services, context, caller, event.request(), keeper, graceMillis).start(reader);
    }

    private void cancel(ClientEvent.Cancel event) {
        String streamId = event.streamId();
        String responseId = event.responseId();
        Response response;
        if (responseId == null) {
            LogReader reader = lanes.current(streamId);
            response = reader == null ? null : reader.response();
        } else {
            response = services.responses().find(caller, responseId);
        }
        if (response == null || response.hasEnded()) {
            throw new ProtocolException(new ApiError(
                    404,
                    "invalid_request_error",
                    "response_not_found",
                    responseId == null ? "stream_id" : "response_id",
                    (responseId == null ? "no response" : "no response " + responseId)
                            + " is in progress here; it has ended or was never begun"));
        }
        response.cancel();
    }

    private void steer(ClientEvent.Steer event) {
        ServerEvent.SteerFailed failed = new ServerEvent.SteerFailed(
                event.responseId(),
                event.input(),
                "steering_not_supported",
                "this server does not steer responses; cancel the response and create another that goes on from it");
        writer.send(EventWriter.steerFailed(failed), event.streamId());
    }

    private void receivedBinary(Buffer message) {
        writer.sendError(
                ApiError.invalid(
                        "invalid_frame",
                        null,
                        "a binary message of " + message.length() + " bytes came; send text messages of JSON"),
                Origin.UNKNOWN,
                0);
    }

    private void drained() {
        for (LogReader reader : lanes.current()) {
            reader.drained();
        }
        if (!writer.isFull()) {
            socket.resume();
        }
    }

    private void broken(Throwable cause) {
        if (cause instanceof CorruptedWebSocketFrameException frame) {
            broken(frame.closeStatus());
        } // else the connection broke, and its end is on the way
    }

    /** The bytes that arrive are no WebSocket messages, or too large: say so and hang up. */
    private void broken(WebSocketCloseStatus status) {
        if (isClosed) {
            return;
        }
        if (status.equals(WebSocketCloseStatus.MESSAGE_TOO_BIG)) {
            writer.sendError(
                    ApiError.refused(
                            413,
                            "message_too_large",
                            "the message is larger than " + services.limits().messageBytes()
                                    + " bytes; send a smaller one"),
                    Origin.UNKNOWN,
                    0);
        }
        close(
                status,
                status.equals(WebSocketCloseStatus.MESSAGE_TOO_BIG) ? "message too large" : "broken frame or text");
    }

    private void closed() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        heartbeat.stop();
        services.metrics().socketClosed();
        lanes.abandon();
        whenClosed.run();
    }
}
