package dev.weir.server;

/** A WebSocket that is recorded when it is closed. */
record RecordedSocket(TestSocket taken, Recording recording) implements AutoCloseable {
    RecordedSocket(TestServer server, Recording recording) {
        this(server.socket(), recording);
    }

    @Override
    public void close() {
        recording.socket(taken.texts());
        taken.socket.close();
    }
}
