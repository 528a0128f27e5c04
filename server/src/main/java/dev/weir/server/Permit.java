package dev.weir.server;

/** A request's hold on what its key may do, from admission to its end. Owned by the context of its connection. */
final class Permit {
    private final Caller caller;
    private int reserved;

    Permit(Caller caller) {
        this.caller = caller;
    }

    /**
     * Sets tokens aside, once the most that the request can use is known.
     *
     * @throws RetryLaterException if the key has not that many left
     */
    void reserve(int tokens) {
        reserved = caller.reserve(tokens);
    }

    /** Ends the hold and gives back what was not used. */
    void end(int usedTokens) {
        caller.leave(Math.max(0, reserved - usedTokens));
    }
}
