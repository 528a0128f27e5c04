package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import java.util.List;

/**
 * The client's end of one {@link Turn}: turns what happens into what its API sends. Owned by the context of the
 * connection. Either {@link #refused} alone, or {@link #accepted}, any number of {@link #text} and one {@link #choiceEnded} for
 * each answer, then one of {@link #ended} and {@link #failed}.
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

    /**
     * An answer is complete.
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
        String finishReason() {
            return this == LENGTH ? "length" : "stop";
        }
    }
}
