package dev.weir.loadtest;

/**
 * One user's way to the server: a connection of its own that carries one request at a time, is opened when it is first
 * needed and again after it broke. Owner: the thread of the run.
 */
interface GenerationClient {

    /** Sends the request and tells the listener how the answer fares; not to be called while an answer is under way. */
    void generate(String body, AnswerListener listener);

    /** Drops the connection and forgets the answer under way: its listener hears nothing more. */
    void abort();
}
