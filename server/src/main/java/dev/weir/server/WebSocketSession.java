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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
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
    private final Map<String, Lane> lanes = new HashMap<>();
    private final Lane defaultLane = new Lane();
    private int inFlight;
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
        services.metrics().socketOpened();
        socket.textMessageHandler(this::received);
        socket.binaryMessageHandler(this::receivedBinary);
        socket.drainHandler(_ -> drained());
        socket.exceptionHandler(this::broken);
        socket.closeHandler(_ -> closed());
        heartbeat = new Heartbeat(vertx, socket, services.limits().pingInterval());
    }

    /** Closes the socket. Its responses go on for a while. */
    void close(WebSocketCloseStatus status, String reason) {
        if (!isClosed) {
            socket.close((short) status.code(), reason);
        }
    }

    /** Hangs up, and ends the responses, if the API key that opened the socket is no longer good. */
    void closeIfRevoked() {
        if (!caller.isValid()) {
            for (LogReader reader : currentReaders()) {
                if (reader.response() != null) {
                    reader.response().cancel();
                }
            }
            close(WebSocketCloseStatus.POLICY_VIOLATION, "the API key is no longer valid");
        }
    }

    private void received(String message) {
        if (isClosed) {
            return;
        }
        try {
            switch (RequestReader.clientEvent(message)) {
                case ClientEvent.Create create -> enter(create, reader -> create(create, reader));
                case ClientEvent.Resume resume -> enter(resume, reader -> resume(resume, reader));
                case ClientEvent.Cancel cancel -> cancel(cancel);
            }
        } catch (ProtocolException e) {
            services.metrics().refused(e.error());
            sendError(e.error(), RequestReader.origin(message), 0);
        }
    }

    /** Puts a reader into the lane of an event, for {@code begin} to give it a response when its turn comes. */
    private void enter(ClientEvent event, Consumer<LogReader> begin) {
        int most = services.limits().inFlight();
        if (inFlight >= most) {
            throw new ProtocolException(ApiError.overloaded(inFlight + " responses of this socket have not ended and "
                    + most + " are the limit; wait for one to end or open another socket"));
        }
        String streamId = event.streamId();
        Lane lane = streamId == null ? defaultLane : lanes.computeIfAbsent(streamId, _ -> new Lane());
        inFlight++;
        Outlet outlet = new LaneOutlet(new Origin(event.eventId(), streamId));
        lane.add(new LogReader(services, context, outlet, () -> over(lane, streamId)), begin);
    }

    private void create(ClientEvent.Create event, LogReader reader) {
        long graceMillis = services.limits().resume().grace().toMillis();
        new Response(services, context, caller, event.request(), graceMillis).start(reader);
    }

    private void resume(ClientEvent.Resume event, LogReader reader) {
        Response response = services.responses().find(caller, event.responseId());
        if (response == null) {
            ApiError error = Responses.unknown(event.responseId());
            services.metrics().refused(error);
            reader.refuse(error, 0);
        } else {
            services.metrics().resumed();
            response.resume(reader, event.startingAfter());
        }
    }

    private void cancel(ClientEvent.Cancel event) {
        String streamId = event.streamId();
        String responseId = event.responseId();
        Response response;
        if (responseId == null) {
            Lane lane = streamId == null ? defaultLane : lanes.get(streamId);
            LogReader reader = lane == null ? null : lane.current();
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

    private void receivedBinary(Buffer message) {
        sendError(
                ApiError.invalid(
                        "invalid_frame",
                        null,
                        "a binary message of " + message.length() + " bytes came; send text messages of JSON"),
                Origin.UNKNOWN,
                0);
    }

    private void over(Lane lane, @Nullable String streamId) {
        inFlight--;
        if (isClosed) {
            return;
        }
        lane.next();
        if (streamId != null && lane.isEmpty()) {
            lanes.remove(streamId, lane);
        }
    }

    private void drained() {
        for (LogReader reader : currentReaders()) {
            reader.drained();
        }
        if (!isFull()) {
            socket.resume();
        }
    }

    private List<LogReader> currentReaders() {
        return Stream.concat(lanes.values().stream(), Stream.of(defaultLane))
                .map(Lane::current)
                .filter(Objects::nonNull)
                .toList();
    }

    /** The bytes that arrive are no WebSocket messages, or too large: say so and hang up. */
    private void broken(Throwable cause) {
        if (isClosed) {
            return;
        }
        WebSocketCloseStatus status = switch (cause) {
            case CorruptedWebSocketFrameException frame -> frame.closeStatus();
            case IllegalStateException _ -> WebSocketCloseStatus.MESSAGE_TOO_BIG; // a message of many frames
            default -> null;
        };
        if (status == null) {
            return; // the connection broke; its end is on the way
        }
        if (status.equals(WebSocketCloseStatus.MESSAGE_TOO_BIG)) {
            sendError(
                    ApiError.refused(
                            413,
                            "message_too_large",
                            "the message is larger than " + services.limits().messageBytes()
                                    + " bytes; send a smaller one"),
                    Origin.UNKNOWN,
                    0);
        }
        close(status, status.equals(WebSocketCloseStatus.MESSAGE_TOO_BIG) ? "message too large" : "broken frame");
    }

    private void closed() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        heartbeat.stop();
        services.metrics().socketClosed();
        lanes.values().forEach(Lane::abandon);
        defaultLane.abandon();
        whenClosed.run();
    }

    private void sendError(ApiError error, Origin origin, long retryAfterSeconds) {
        Long retryAfter = retryAfterSeconds > 0 ? Long.valueOf(retryAfterSeconds) : null;
        send(EventWriter.error(new ServerEvent.Refused(error, origin.eventId(), retryAfter)), origin.streamId());
    }

    private void send(String json, @Nullable String streamId) {
        if (isClosed || socket.isClosed()) {
            return;
        }
        socket.writeTextMessage(EventWriter.inLane(json, streamId));
        if (isFull()) {
            socket.pause(); // who does not read is not read from
        }
    }

    private boolean isFull() {
        return isClosed || socket.isClosed() || socket.writeQueueFull();
    }

    /** The part of the socket that one response writes to. */
    private final class LaneOutlet implements Outlet {
        private final Origin origin;

        LaneOutlet(Origin origin) {
            this.origin = origin;
        }

        @Override
        public void open() {}

        @Override
        public void send(String type, String json) {
            WebSocketSession.this.send(json, origin.streamId());
        }

        @Override
        public void refuse(ApiError error, long retryAfterSeconds) {
            sendError(error, origin, retryAfterSeconds);
        }

        @Override
        public void breakOff(ApiError error) {
            sendError(error, origin, 0);
        }

        @Override
        public void close() {}

        @Override
        public boolean isFull() {
            return WebSocketSession.this.isFull();
        }
    }
}
