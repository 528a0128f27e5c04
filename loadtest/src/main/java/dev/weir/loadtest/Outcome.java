package dev.weir.loadtest;

/** How a request ended, as the client saw it. */
sealed interface Outcome {

    /** The terminal event of success came; {@code reason} is the server's word for it (completed, stop, length, ...). */
    record Done(String reason) implements Outcome {}

    /**
     * The request did not get a whole answer. {@code code} tells causes of one kind apart and is counted by; it may be
     * empty. {@code message} is for people and only the first of each code is shown.
     */
    record Failed(ErrorKind kind, String code, String message) implements Outcome {

        private static final int MAX_MESSAGE = 200;

        public Failed {
            if (message.length() > MAX_MESSAGE) {
                message = message.substring(0, MAX_MESSAGE) + "...";
            }
        }
    }

    /** The load tester itself gave the request up, because the run was over. */
    record Cancelled() implements Outcome {}
}
