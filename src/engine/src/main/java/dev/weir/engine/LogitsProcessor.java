package dev.weir.engine;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What one sequence does to its logits before a token is chosen: constraint, allowed tokens, bad words, bias, penalties, in
 * vLLM's order. It remembers what it must of the tokens that were chosen, and so outlives a preemption. The engine thread prepares a
 * step and takes note of its token; in between one other may use it.
 *
 * <p>A sequence that asks for none of these has none: {@link #of} gives null, and nothing is paid for.
 */
final class LogitsProcessor {
    private final @Nullable TokenConstraint constraint;
    /** What the constraint allows next. */
    private final BitSet fitting = new BitSet();

    private final int[] allowed; // ascending; empty allows all
    private final int[][] badWords;
    private final int[] biasedTokens;
    private final float[] biases;
    private final @Nullable Penalties penalties;

    /** The latest generated tokens, the newest last: as many as a bad word may hang on. */
    private final int[] tail;

    private int tailLength;

    private LogitsProcessor(
            SamplingParams sampling, @Nullable TokenConstraint constraint, @Nullable Penalties penalties) {
        this.constraint = constraint;
        this.penalties = penalties;
        allowed = SamplingParams.ints(sampling.allowedTokenIds());
        Arrays.sort(allowed);
        List<List<Integer>> words = sampling.badWords();
        badWords = new int[words.size()][];
        int longest = 1;
        for (int i = 0; i < badWords.length; i++) {
            badWords[i] = SamplingParams.ints(words.get(i));
            longest = Math.max(longest, badWords[i].length);
        }
        tail = new int[longest - 1];
        biasedTokens = new int[sampling.logitBias().size()];
        biases = new float[biasedTokens.length];
        int i = 0;
        for (Map.Entry<Integer, Float> bias : sampling.logitBias().entrySet()) {
            biasedTokens[i] = bias.getKey();
            biases[i++] = bias.getValue();
        }
    }

    /** What the request asks for; null if that is nothing. */
    static @Nullable LogitsProcessor of(GenerationRequest request) {
        SamplingParams sampling = request.sampling();
        boolean penalises = sampling.frequencyPenalty() != 0
                || sampling.presencePenalty() != 0
                || sampling.repetitionPenalty() != 1;
        Supplier<? extends TokenConstraint> constraint = request.constraint();
        if (!penalises
                && constraint == null
                && sampling.allowedTokenIds().isEmpty()
                && sampling.badWords().isEmpty()
                && sampling.logitBias().isEmpty()) {
            return null;
        }
        Penalties penalties = penalises
                ? new Penalties(
                        sampling.frequencyPenalty(),
                        sampling.presencePenalty(),
                        sampling.repetitionPenalty(),
                        request.promptTokens())
                : null;
        return new LogitsProcessor(sampling, constraint == null ? null : constraint.get(), penalties);
    }

    /** Asks the constraint what may come next. On the engine thread, as sequences may share what their constraints remember. */
    void prepare() {
        if (constraint != null) {
            fitting.clear();
            constraint.allow(fitting);
        }
    }

    /** Changes the logits of the token that it is prepared for; a token that must not be chosen gets minus infinity. */
    void apply(float[] logits) {
        if (constraint != null) {
            keepOnly(fitting, logits);
        }
        if (allowed.length > 0) {
            keepAllowed(logits);
        }
        for (int[] word : badWords) {
            if (wouldComplete(word)) {
                logits[word[word.length - 1]] = Float.NEGATIVE_INFINITY;
            }
        }
        for (int i = 0; i < biasedTokens.length; i++) {
            logits[biasedTokens[i]] += biases[i];
        }
        if (penalties != null) {
            penalties.apply(logits);
        }
    }

    /** Takes note of the chosen token. */
    void accept(int token) {
        if (constraint != null) {
            constraint.accept(token);
        }
        if (penalties != null) {
            penalties.accept(token);
        }
        if (tail.length > 0) {
            System.arraycopy(tail, 1, tail, 0, tail.length - 1);
            tail[tail.length - 1] = token;
            tailLength = Math.min(tailLength + 1, tail.length);
        }
    }

    /** Whether nothing can follow what was chosen. */
    boolean isComplete() {
        return constraint != null && constraint.isComplete();
    }

    private static void keepOnly(BitSet tokens, float[] logits) {
        int from = 0;
        while (from < logits.length) {
            int kept = tokens.nextSetBit(from);
            int to = kept < 0 ? logits.length : Math.min(kept, logits.length);
            Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
            from = kept < 0 ? logits.length : tokens.nextClearBit(kept);
        }
    }

    private void keepAllowed(float[] logits) {
        int from = 0;
        for (int token : allowed) {
            if (token >= from) { // else it was named twice
                Arrays.fill(logits, from, token, Float.NEGATIVE_INFINITY);
                from = token + 1;
            }
        }
        Arrays.fill(logits, from, logits.length, Float.NEGATIVE_INFINITY);
    }

    /** Whether the answer ends with all of the word but its last token. */
    private boolean wouldComplete(int[] word) {
        int before = word.length - 1;
        return before <= tailLength && Arrays.equals(tail, tail.length - before, tail.length, word, 0, before);
    }
}
