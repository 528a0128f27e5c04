package dev.weir.loadtest;

/** Where a request failed, in the order in which it meets the stages. */
enum ErrorKind {
    /** No TCP (or TLS) connection. */
    CONNECT("connect"),
    /** The WebSocket upgrade was refused; the code is the HTTP status. */
    HANDSHAKE("handshake"),
    /** An HTTP answer other than 200; the code is the status. */
    HTTP_STATUS("http status"),
    /** An error the server put into the stream; the code is the server's. */
    ERROR_EVENT("error event"),
    /** The connection ended before the terminal event; the code is the WebSocket close code, if there was one. */
    CLOSED_EARLY("closed early"),
    /** No terminal event within the time allowed for a request. */
    TIMEOUT("timeout"),
    /** The events contradict the protocol: numbering, order, text or end. */
    PROTOCOL_VIOLATION("protocol violation");

    private final String label;

    ErrorKind(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }
}
