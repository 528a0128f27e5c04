package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import java.util.List;

/**
 * The client's end of one {@link Turn}: turns what happens into what its API sends. Owned by the context of the
 * connection. Either {@link #refused} alone, or {@link #accepted}, any number of {@link #text} and calls
 * of functions and one {@link #choiceEnded} for each answer, then one of {@link #ended} and {@link #failed}.
 *
 * <p>Answers are numbered prompt by prompt: those to the first prompt, then those to the second.
 */
interface Reply {
    /** The engine took the request; tokens will follow. */
    void accepted(List<PreparedPrompt> prompts);

    /**
     * More text of an answer, with the log-probabilities of its tokens if they were asked for; one of the two is not empty. Called only
     * while {@link #isFull} is false, or just before the end.
     */
    void text(int choice, String delta, List<TokenLogprob> logprobs);

    /** An answer begins to call a function; its text goes on behind the call, if at all. */
    void callBegun(int choice, String id, String name);

    /** More of the arguments of the call that was begun. */
    void callArguments(int choice, String delta);

    /** The call's arguments are whole. */
    void callEnded(int choice);

    /**
     * An answer is complete, though the call that was begun last may not be.
     *
     * @param meanLogprob log-probability of its tokens on average, if the answers are to be ranked
     */
    void choiceEnded(int choice, Ending ending, double meanLogprob);

    /** All answers are complete. */
    void ended(Usage usage);

    /** The request cannot be served; nothing was begun. */
    void refused(ApiError error, long retryAfterSeconds);

    /** The server failed in mid-stream. */
    void failed(ApiError error);

    /** Whether the client reads too slowly for more text just now. */
    boolean isFull();

    /** How a text ended. */
    enum Ending {
        STOP,
        LENGTH,
        CANCELLED;

        /** As the completion APIs spell it. */
        String finishReason(boolean hasCalls) {
            return this == LENGTH ? "length" : hasCalls ? "tool_calls" : "stop";
        }
    }
}
