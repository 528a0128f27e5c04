package dev.weir.server;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The responses of one {@code stream_id}, one after the other. Owned by the context of its socket. */
final class Lane {
    private final Deque<Turn> waiting = new ArrayDeque<>();
    private @Nullable Turn current;

    /** Begins a turn, now or after those before it. */
    void add(Turn turn) {
        waiting.add(turn);
        if (current == null) {
            next();
        }
    }

    /** The turn that is under way. */
    @Nullable
    Turn current() {
        return current;
    }

    /** The current turn is over: the next one begins. */
    void next() {
        current = waiting.poll();
        if (current != null) {
            current.start();
        }
    }

    boolean isEmpty() {
        return current == null && waiting.isEmpty();
    }

    /** The socket is gone. */
    void abandon() {
        waiting.clear();
        if (current != null) {
            current.abandon();
        }
    }
}
