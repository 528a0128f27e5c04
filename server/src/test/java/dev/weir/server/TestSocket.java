package dev.weir.server;

import dev.weir.protocol.ClientEvent;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.RequestWriter;
import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import io.vertx.core.http.WebSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A client's WebSocket whose events a test takes one by one. */
final class TestSocket {
    final WebSocket socket;
    final CompletableFuture<Short> closed = new CompletableFuture<>();
    private final LinkedBlockingQueue<EventReader.Received> events = new LinkedBlockingQueue<>();
    private final List<String> texts = new CopyOnWriteArrayList<>();

    TestSocket(WebSocket socket) {
        this.socket = socket;
        socket.textMessageHandler(text -> {
            texts.add(text);
            events.add(EventReader.read(text));
        });
        socket.closeHandler(_ -> closed.complete(socket.closeStatusCode()));
    }

    void create(@Nullable String streamId, String input, SamplingFields sampling) {
        send(RequestWriter.clientEvent(ClientEvent.Create.of(streamId, ResponseRequest.of(null, input, sampling))));
    }

    void send(String text) {
        socket.writeTextMessage(text);
    }

    /** The next event of any kind. */
    EventReader.Received next() {
        try {
            EventReader.Received received = events.poll(20, TimeUnit.SECONDS);
            if (received == null) {
                throw new AssertionError("no event came");
            }
            return received;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All events up to the one that satisfies the condition. */
    List<EventReader.Received> until(Predicate<EventReader.Received> condition) {
        List<EventReader.Received> taken = new ArrayList<>();
        do {
            taken.add(next());
        } while (!condition.test(taken.getLast()));
        return taken;
    }

    /** All events up to the end of a response. */
    List<EventReader.Received> untilEnd() {
        return until(TestSocket::isEnd);
    }

    ServerEvent.Refused nextError() {
        ServerEvent event = next().event();
        if (event instanceof ServerEvent.Refused error) {
            return error;
        }
        throw new AssertionError("expected an error but got " + event);
    }

    /** All that came so far, as it came. */
    List<String> texts() {
        return List.copyOf(texts);
    }

    boolean isQuiet() {
        return events.isEmpty();
    }

    static boolean isEnd(EventReader.Received received) {
        return received.event() instanceof ServerEvent.Completed
                || received.event() instanceof ServerEvent.Incomplete
                || received.event() instanceof ServerEvent.Failed
                || received.event() instanceof ServerEvent.Refused;
    }

    /** The deltas put together. */
    static String text(List<EventReader.Received> events) {
        StringBuilder text = new StringBuilder();
        for (EventReader.Received received : events) {
            if (received.event() instanceof ServerEvent.OutputTextDelta delta) {
                text.append(delta.delta());
            }
        }
        return text.toString();
    }
}
