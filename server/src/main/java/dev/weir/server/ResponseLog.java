package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.EventWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The events of one response, each encoded once, for any number of readers to replay and follow. Written on the context of
 * the response, to which all methods belong.
 *
 * <p>The entries are a linked list: a reader holds the last entry that it took and finds the next one through it, on a thread of
 * its own and without a lock. The log holds the newest entries, as many as it has room for; it forgets the oldest once every
 * reader has taken them, and none while nobody reads, since a client that is gone may have received less than was sent. When
 * nothing can be forgotten the log is full, and its writer has to wait.
 */
final class ResponseLog {
    /** What an entry costs beside its text. */
    private static final int ENTRY_BYTES = 64;

    /** One event. Immutable but for the link to the next. */
    static final class Entry {
        private final int number;
        private final String type;
        private final String json;
        private final boolean isLast;
        private volatile @Nullable Entry next;

        private Entry(int number, String type, String json, boolean isLast) {
            this.number = number;
            this.type = type;
            this.json = json;
            this.isLast = isLast;
        }

        /** The event's {@code sequence_number}; -1 stands before the first. */
        int number() {
            return number;
        }

        String type() {
            return type;
        }

        String json() {
            return json;
        }

        /** Whether the response ends with it. */
        boolean isLast() {
            return isLast;
        }

        /** The entry after this one, if it has been written. Any thread. */
        @Nullable
        Entry next() {
            return next;
        }

        private int bytes() {
            return ENTRY_BYTES + json.length();
        }
    }

    private final int capacity;
    private final LongAdder held;
    private final List<LogReader> readers = new ArrayList<>();

    /** The one before the first entry that is held. */
    private Entry before;

    private Entry last;
    private long bytes;

    private volatile boolean isBlocked;

    /** A log that has room for so many bytes; {@code held} counts those that all logs hold. */
    ResponseLog(int capacity, LongAdder held) {
        this(0, capacity, held);
    }

    private ResponseLog(int first, int capacity, LongAdder held) {
        this.capacity = capacity;
        this.held = held;
        before = new Entry(first - 1, "", "", false);
        last = before;
    }

    /** The log of a response that was stored. */
    static ResponseLog of(StoredEvents stored) {
        ResponseLog log = new ResponseLog(stored.first(), Integer.MAX_VALUE, new LongAdder());
        int left = stored.events().size();
        for (String event : stored.events()) {
            left--;
            log.append(EventWriter.typeOf(event), event, left == 0);
        }
        return log;
    }

    /** Adds an event and wakes the readers; there is room for it unless {@link #isFull} says otherwise. */
    void append(String type, String json, boolean isLast) {
        Entry entry = new Entry(last.number + 1, type, json, isLast);
        bytes += entry.bytes();
        held.add(entry.bytes());
        last.next = entry;
        last = entry;
        for (LogReader reader : List.copyOf(readers)) {
            reader.wake();
        }
        forget();
    }

    /** Whether readers have to take some of what is there before more may be added. */
    boolean isFull() {
        isBlocked = true; // before it looks at the readers, so that one that takes more just now sees it
        forget();
        isBlocked = bytes >= capacity;
        return isBlocked;
    }

    /** Whether somebody waits for readers to take more. Any thread. */
    boolean isBlocked() {
        return isBlocked;
    }

    /** A number from which on a reader sees the end, and not much else. */
    int beforeEnd() {
        return last.isLast ? last.number - 1 : last.number;
    }

    /** What is held, and behind it the event that will be the last. */
    StoredEvents endingWith(String lastEvent) {
        List<String> events = new ArrayList<>();
        for (Entry entry = before.next; entry != null; entry = entry.next) {
            events.add(entry.json);
        }
        events.add(lastEvent);
        return new StoredEvents(before.number + 1, events);
    }

    /** Bytes that are held. */
    long bytes() {
        return bytes;
    }

    /** The entry after which the events with a number above {@code number} come, or null if that is not held. */
    @Nullable
    Entry after(int number) {
        Entry entry = number < before.number ? null : before;
        while (entry != null && entry.number < number) {
            entry = entry.next;
        }
        return entry;
    }

    /** Why {@link #after} knows no such place. */
    ApiError noSuchPlace(String responseId, int number) {
        int first = before.number + 1;
        boolean isForgotten = number < first;
        return ApiError.invalid(
                isForgotten ? "events_not_held" : "invalid_value",
                "starting_after",
                "starting_after is " + number + " but "
                        + (isForgotten
                                ? "the first event that is still held of " + responseId + " is " + first
                                        + "; ask for those after " + (first - 1)
                                : "the last event of " + responseId + " so far is " + last.number));
    }

    void add(LogReader reader) {
        readers.add(reader);
    }

    void remove(LogReader reader) {
        readers.remove(reader);
    }

    boolean hasReaders() {
        return !readers.isEmpty();
    }

    private void forget() {
        if (readers.isEmpty() || bytes < capacity) {
            return;
        }
        int taken = beforeEnd(); // the end is kept for whoever missed it
        for (LogReader reader : readers) {
            taken = Math.min(taken, reader.taken());
        }
        Entry first = before.next;
        while (bytes >= capacity && first != null && first.number <= taken) {
            bytes -= first.bytes();
            held.add(-first.bytes());
            before = first;
            first = first.next;
        }
    }
}
