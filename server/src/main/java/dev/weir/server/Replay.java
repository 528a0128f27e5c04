package dev.weir.server;

/** The events of a stored response, for one reader, to whose context it belongs. */
final class Replay implements EventSource {
    private final String id;
    private final ResponseLog log;

    Replay(String id, StoredEvents events) {
        this.id = id;
        log = ResponseLog.of(events);
    }

    /** Gives the reader the events with a number above {@code number}. */
    void begin(LogReader reader, int number) {
        ResponseLog.Entry from = log.after(number);
        if (from == null) {
            reader.refuse(log.noSuchPlace(id, number), 0);
            return;
        }
        reader.placeAfter(number);
        reader.follow(this, from);
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public void taken() {}

    @Override
    public void left(LogReader reader) {}
}
