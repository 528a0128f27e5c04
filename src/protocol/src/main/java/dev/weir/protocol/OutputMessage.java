package dev.weir.protocol;

import java.util.List;

/**
 * The assistant's message in a response. Immutable; any thread.
 *
 * @param id its name, {@code msg_...}
 * @param status {@link ResponseStatus#IN_PROGRESS}, {@link ResponseStatus#COMPLETED} or
 *     {@link ResponseStatus#INCOMPLETE}
 * @param text what was generated, stop string excluded
 * @param logprobs of its tokens, if they were asked for
 */
public record OutputMessage(String id, ResponseStatus status, String text, List<TokenLogprob> logprobs)
        implements OutputItem {
    public OutputMessage {
        logprobs = List.copyOf(logprobs);
    }
}
