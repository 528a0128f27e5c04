package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The lanes of one WebSocket: the default one, which has no name, and the named ones, each of which lives as long as the socket. Owned
 * by the context of the socket.
 */
final class Lanes {
    private final ServerLimits limits;
    private final Lane unnamed = new Lane();
    private final Map<String, Lane> named = new HashMap<>();
    private int inFlight;
    private boolean isClosed;

    Lanes(ServerLimits limits) {
        this.limits = limits;
    }

    /**
     * Puts a reader into a lane, behind those that are there.
     *
     * @param reader makes the reader, given what to call when it is over
     * @param begin gives the reader a response, when its turn comes
     * @throws ProtocolException if there are too many readers or lanes; nothing has changed then
     */
    void enter(@Nullable String streamId, Function<Runnable, LogReader> reader, Consumer<LogReader> begin) {
        if (inFlight >= limits.inFlight()) {
            throw new ProtocolException(new ApiError(
                    429,
                    "overloaded_error",
                    "websocket_in_flight_limit_reached",
                    null,
                    inFlight + " responses of this socket have not ended and " + limits.inFlight()
                            + " are the limit; wait for one to end or open another socket"));
        }
        Lane lane = lane(streamId);
        inFlight++;
        lane.add(reader.apply(() -> over(lane)), begin);
    }

    /** Whether nothing is under way or waits. */
    boolean isIdle() {
        return inFlight == 0;
    }

    /** What is under way in a lane; null if that is nothing. */
    @Nullable
    LogReader current(@Nullable String streamId) {
        Lane lane = streamId == null ? unnamed : named.get(streamId);
        return lane == null ? null : lane.current();
    }

    /** What is under way in all lanes. */
    List<LogReader> current() {
        return Stream.concat(named.values().stream(), Stream.of(unnamed))
                .map(Lane::current)
                .filter(Objects::nonNull)
                .toList();
    }

    /** The socket is gone. */
    void abandon() {
        isClosed = true;
        named.values().forEach(Lane::abandon);
        unnamed.abandon();
    }

    private Lane lane(@Nullable String streamId) {
        if (streamId == null) {
            return unnamed;
        }
        if (!named.containsKey(streamId) && named.size() >= limits.lanes()) {
            throw new ProtocolException(ApiError.invalid(
                    "websocket_stream_limit_reached",
                    "stream_id",
                    "stream_id is \"" + streamId + "\" but this socket has " + named.size() + " others and "
                            + limits.lanes() + " are the limit; use one of those or open another socket"));
        }
        return named.computeIfAbsent(streamId, _ -> new Lane());
    }

    private void over(Lane lane) {
        inFlight--;
        if (!isClosed) {
            lane.next();
        }
    }
}
