package dev.weir.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one committed step added to one sequence. Immutable, and shared by streams that hear the same; published on the engine
 * thread.
 *
 * @param tokenIds the new tokens in order, usually one; with {@link FinishReason#STOP} the last is the stop token itself
 * @param finishReason why the sequence ended, or null while it goes on; nothing follows a finished output
 * @param cachedTokens tokens of the prompt that were not computed because the prefix cache held them, in the first output of a
 *     stream; 0 in the others
 * @param logprobs one for each new token if the request asks for them, else empty
 */
@SuppressWarnings("ArrayRecordComponent") // read, never written to nor compared
public record StepOutput(
        int[] tokenIds, @Nullable FinishReason finishReason, int cachedTokens, List<TokenLogprobs> logprobs) {
    public boolean isFinished() {
        return finishReason != null;
    }
}
