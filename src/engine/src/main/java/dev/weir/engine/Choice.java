package dev.weir.engine;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A sequence's next token as it was chosen from its row, or why none was. Prepared by the engine thread, written by the thread that
 * chooses, and read by the engine thread afterwards; used again in each step.
 */
final class Choice {
    private @Nullable Sequence sequence;
    private int row;
    private int token;
    /** Whether the token is known not to be among the row's ranked ones. */
    private boolean isUnranked;

    private @Nullable TokenLogprobs logprobs;
    private @Nullable Throwable failure;

    /** Begins with a sequence and the row of its scores. */
    void begin(Sequence sequence, int row) {
        this.sequence = sequence;
        this.row = row;
        token = Sampler.NO_TOKEN;
        isUnranked = false;
        logprobs = null;
        failure = null;
    }

    /** Finds out what the sequence does to its scores. On the engine thread. */
    void prepare() {
        LogitsProcessor processor = sequence().logitsProcessor();
        if (processor != null) {
            try {
                processor.prepare();
            } catch (RuntimeException | Error e) {
                failure = e;
            }
        }
    }

    /** {@link Sampler#inverseToSum} of the row. */
    float inverseToSum(Logits logits) {
        Sequence chooser = sequence();
        SamplingParams sampling = chooser.request.sampling();
        return sampling.logprobs().isPresent()
                ? 0
                : Sampler.inverseToSum(logits, sampling, chooser.suppressedTokens(), chooser.logitsProcessor());
    }

    /** Makes the choice if the sum of the row's weights and its largest scores decide. */
    void chooseBySum(Sampler sampler, Logits logits, float sum) {
        Sequence chooser = sequence();
        int drawn = sampler.sampleBySum(logits, row, chooser.request.sampling(), sum, chooser.random());
        if (drawn >= 0) {
            token = drawn;
        }
        isUnranked = drawn == OrderedScores.ANOTHER;
    }

    /** Whether the largest scores of the row do not decide. */
    boolean needsAll(Logits logits) {
        if (isSettled()) {
            return false;
        }
        Sequence chooser = sequence();
        SamplingParams sampling = chooser.request.sampling();
        return isUnranked
                || sampling.logprobs().isPresent()
                || !Sampler.isRankedEnough(logits, sampling, chooser.suppressedTokens(), chooser.logitsProcessor());
    }

    private boolean isSettled() {
        return failure != null || token != Sampler.NO_TOKEN;
    }

    /** Makes the choice if it is not made, or finds out why there is none. */
    void choose(Sampler sampler, Logits logits) {
        if (isSettled()) {
            return;
        }
        Sequence chooser = sequence();
        SamplingParams sampling = chooser.request.sampling();
        try {
            if (isUnranked) {
                token = sampler.sampleUnranked(logits, row, sampling, chooser.random());
                return;
            }
            token = sampler.sample(
                    logits, row, sampling, chooser.suppressedTokens(), chooser.logitsProcessor(), chooser.random());
            if (token != Sampler.NO_TOKEN && sampling.logprobs().isPresent()) {
                logprobs =
                        sampler.logprobs(logits, row, token, sampling.logprobs().getAsInt());
            }
        } catch (RuntimeException | Error e) { // for the engine thread, which knows who is to hear of it
            failure = e;
        }
    }

    int row() {
        return row;
    }

    Sequence sequence() {
        return Objects.requireNonNull(sequence);
    }

    /**
     * The token, or {@link Sampler#NO_TOKEN} if none may be chosen.
     *
     * @throws RuntimeException if the scores or the sequence's constraint are unusable
     */
    int token() {
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
        return token;
    }

    /** How likely the token was, for a sequence that asks. */
    @Nullable
    TokenLogprobs logprobs() {
        return logprobs;
    }
}
