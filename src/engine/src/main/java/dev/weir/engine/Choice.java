package dev.weir.engine;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A sequence's next token as it was chosen from its row, or why none was. Prepared by the engine thread, written by the thread that
 * chooses, and read by the engine thread afterwards; used again in each step.
 */
final class Choice {
    private enum State {
        OPEN,
        /** The token is not among the ranked ones. */
        UNRANKED,
        MADE
    }

    private State state = State.OPEN;
    private @Nullable Sequence sequence;
    private int row;
    private int token;
    private @Nullable TokenLogprobs logprobs;
    private @Nullable Throwable failure;

    /** Begins with a sequence and the row of its scores. */
    void begin(Sequence sequence, int row) {
        this.sequence = sequence;
        this.row = row;
        state = State.OPEN;
        token = Sampler.NO_TOKEN;
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
        if (drawn == OrderedScores.ANOTHER) {
            state = State.UNRANKED;
        } else if (drawn != OrderedScores.UNDECIDED) {
            state = State.MADE;
            token = drawn;
        }
    }

    /** Whether the largest scores of the row do not decide. */
    boolean needsAll(Logits logits) {
        if (failure != null || state != State.OPEN) {
            return state == State.UNRANKED;
        }
        Sequence chooser = sequence();
        SamplingParams sampling = chooser.request.sampling();
        return sampling.logprobs().isPresent()
                || !Sampler.isRankedEnough(logits, sampling, chooser.suppressedTokens(), chooser.logitsProcessor());
    }

    /** Makes the choice, or finds out why there is none. */
    void choose(Sampler sampler, Logits logits) {
        if (failure != null || state == State.MADE) {
            return;
        }
        Sequence chooser = sequence();
        SamplingParams sampling = chooser.request.sampling();
        try {
            if (state == State.UNRANKED) {
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
