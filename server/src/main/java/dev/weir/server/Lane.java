package dev.weir.server;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The responses that go to one {@code stream_id}, one after the other. Owned by the context of its socket. */
final class Lane {
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private @Nullable LogReader current;

    /** A reader, and what gives it something to read. */
    private record Waiting(LogReader reader, Consumer<LogReader> begin) {}

    /** Begins, now or after those before it, by handing the reader to {@code begin}. */
    void add(LogReader reader, Consumer<LogReader> begin) {
        waiting.add(new Waiting(reader, begin));
        if (current == null) {
            next();
        }
    }

    /** The reader that is under way. */
    @Nullable
    LogReader current() {
        return current;
    }

    /** The current reader is over: the next one begins. */
    void next() {
        Waiting first = waiting.poll();
        current = first == null ? null : first.reader();
        if (first != null) {
            first.begin().accept(first.reader());
        }
    }

    /** The socket is gone. */
    void abandon() {
        waiting.clear();
        if (current != null) {
            current.leave();
        }
    }
}
