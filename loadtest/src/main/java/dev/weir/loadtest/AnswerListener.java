package dev.weir.loadtest;

/** What a connection tells about the one answer it is receiving. All calls come on the thread of the run. */
interface AnswerListener {

    /** The request was handed to an open connection, which took {@code connectNanos} to open; 0 if it was open. */
    void sent(long nowNanos, long connectNanos);

    /** New text arrived: one token, or several that the server put together. */
    void delta(long nowNanos);

    /** The server's own count of tokens; -1 where it gives none. The last call holds. */
    void usage(int inputTokens, int outputTokens);

    /** The answer is over, and the connection is ready for the next request or will reconnect for it. Comes once. */
    void ended(long nowNanos, Outcome outcome);

    /** The server broke the protocol on this connection after the answer had ended and before another was asked for. */
    void strayed(long nowNanos, Outcome.Failed violation);
}
