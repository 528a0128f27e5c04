package dev.weir.server;

import java.util.List;

/**
 * The events of a response that has ended, as they were sent but for their lanes. Immutable; any thread.
 *
 * @param first number of the first of them; those before it were forgotten when the response ended
 * @param events each the JSON object of an event, on one line
 */
record StoredEvents(int first, List<String> events) {
    StoredEvents {
        events = List.copyOf(events);
    }

    /** About how much memory they take. */
    long bytes() {
        return events.stream().mapToLong(String::length).sum();
    }
}
