package dev.weir.engine;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the next token from a row of logits. Used by one thread at a time, with scratch memory for one row.
 *
 * <p>First whatever the sequence does to its logits ({@link LogitsProcessor}), then temperature, then min-p (Nguyen et al.,
 * 2024), then top-k, then top-p (Holtzman et al., 2020) over what top-k left, as vLLM orders them; then a draw. No row is ever
 * sorted ({@link TokenWeights}). How many random numbers of the sequence's own a token takes depends on its row alone, so that
 * a seed gives the same text whatever else runs.
 */
final class Sampler {
    /** No token may be chosen. */
    static final int NO_TOKEN = -1;

    private static final int BLOCK = 1024;

    /** Larger scores than 32768 round to the same number, which only costs time. */
    private static final float ROUNDING = 1 << 16;

    private final float[] scores;
    private final int[] tops;
    private final TokenWeights weights;
    private final OrderedScores largest;

    Sampler(int vocabularySize) {
        scores = new float[vocabularySize];
        tops = new int[(vocabularySize + BLOCK - 1) / BLOCK];
        weights = new TokenWeights(vocabularySize);
        largest = new OrderedScores(vocabularySize);
    }

    /**
     * The chosen token, or {@link #NO_TOKEN} if the sequence itself forbids all.
     *
     * @param logits scores of the step
     * @param row the row to choose from
     * @param suppressed tokens that must not be chosen
     * @param processor what the sequence does to its logits, prepared; null for nothing
     * @throws IllegalStateException if the scores are not numbers
     */
    int sample(
            Logits logits,
            int row,
            SamplingParams params,
            int[] suppressed,
            @Nullable LogitsProcessor processor,
            RandomGenerator random) {
        if (isRankedEnough(logits, params, suppressed, processor)) {
            return sampleRanked(logits, row, params, suppressed, random);
        }
        logits.read(row, scores);
        for (int token : suppressed) {
            scores[token] = Float.NEGATIVE_INFINITY;
        }
        if (processor != null) {
            processor.apply(scores);
        }
        int best = argMax();
        if (scores[best] == Float.NEGATIVE_INFINITY && (processor != null || suppressed.length > 0)) {
            return NO_TOKEN;
        }
        checkFinite(scores[best]);
        if (params.isGreedy()) {
            return best;
        }
        float inverse = inverse(params);
        weights.weigh(scores, scores[best], inverse);
        if (params.topK() > 0 && params.topK() < scores.length) {
            takeLargest(params.topK());
            return largest.draw(inverse, params.minP(), params.topP(), random.nextDouble());
        }
        int least = (int) Math.max(1, Math.ceil(params.minP() * (double) TokenWeights.ONE));
        return weights.draw(least, params.topP(), random);
    }

    /** Puts the {@code k} largest scores in order, or fewer where the others have no weight. */
    private void takeLargest(int k) {
        int threshold = weights.threshold(k);
        largest.clear();
        for (int token = 0; token < scores.length; token++) {
            if (weights.weight(token) >= threshold) {
                largest.add(token, scores[token]);
            }
        }
        largest.sort(k);
    }

    /** By what scores are multiplied; finite, be the temperature ever so small. */
    private static float inverse(SamplingParams params) {
        return Math.min(1 / params.temperature(), 1e30f);
    }

    /**
     * Of logits that add up, by what differences of a row's scores are to be multiplied before their weights are added up, so that the sum and the ranked
     * ones decide mostly; 0 if that does not help, or is not needed.
     */
    static float inverseToSum(
            Logits logits, SamplingParams params, int[] suppressed, @Nullable LogitsProcessor processor) {
        boolean mayAllBeDrawn = processor == null && suppressed.length == 0 && !params.isGreedy() && params.topK() == 0;
        return mayAllBeDrawn && logits.ranked() < logits.vocabularySize() ? inverse(params) : 0;
    }

    /**
     * Draws one of the ranked tokens.
     *
     * @param sum weight of all tokens of the row
     * @return the token; {@link OrderedScores#ANOTHER} if it is one of the others, from which {@link #sampleUnranked} then draws;
     *     {@link OrderedScores#UNDECIDED} if the whole row decides
     */
    int sampleBySum(Logits logits, int row, SamplingParams params, float sum, RandomGenerator random) {
        largest.clear();
        for (int rank = 0; rank < logits.ranked(); rank++) {
            largest.add(logits.rankedToken(row, rank), logits.rankedScore(row, rank));
        }
        return Float.isFinite(sum)
                ? largest.drawOfAll(inverse(params), params.minP(), params.topP(), sum, random)
                : OrderedScores.UNDECIDED;
    }

    /** Draws one of the tokens that are not ranked. */
    int sampleUnranked(Logits logits, int row, SamplingParams params, RandomGenerator random) {
        logits.read(row, scores);
        for (int rank = 0; rank < logits.ranked(); rank++) {
            scores[logits.rankedToken(row, rank)] = Float.NEGATIVE_INFINITY;
        }
        int best = argMax();
        checkFinite(scores[best]);
        weights.weigh(scores, scores[best], inverse(params));
        return weights.draw(1, 1, random);
    }

    /** Whether a row's ranked scores decide. */
    static boolean isRankedEnough(
            Logits logits, SamplingParams params, int[] suppressed, @Nullable LogitsProcessor processor) {
        return processor == null && needsRanked(params) + suppressed.length <= logits.ranked();
    }

    /** How many of the largest scores decide; more than any runner ranks if all do. */
    private static int needsRanked(SamplingParams params) {
        if (params.isGreedy()) {
            return 1;
        }
        return params.topK() > 0 ? params.topK() : Integer.MAX_VALUE / 2;
    }

    /** The same choice from the ranked scores alone. */
    private int sampleRanked(Logits logits, int row, SamplingParams params, int[] suppressed, RandomGenerator random) {
        int wanted = needsRanked(params);
        largest.clear();
        for (int rank = 0; largest.size() < wanted && rank < logits.ranked(); rank++) {
            int token = logits.rankedToken(row, rank);
            if (contains(suppressed, token)) {
                continue;
            }
            float score = logits.rankedScore(row, rank);
            if (largest.size() == 0) {
                checkFinite(score);
                if (params.isGreedy()) {
                    return token;
                }
            }
            largest.add(token, score);
        }
        if (largest.size() == 0) {
            return NO_TOKEN;
        }
        return largest.draw(inverse(params), params.minP(), params.topP(), random.nextDouble());
    }

    private static boolean contains(int[] tokens, int token) {
        for (int one : tokens) {
            if (one == token) {
                return true;
            }
        }
        return false;
    }

    /**
     * The log-softmax of a row at the chosen token and at its largest scores.
     *
     * @param count how many of the largest
     */
    TokenLogprobs logprobs(Logits logits, int row, int chosen, int count) {
        logits.read(row, scores);
        int size = Math.min(count, scores.length);
        int[] tokens = new int[size];
        int found = 0;
        for (int i = 0; size > 0 && i < scores.length; i++) {
            if (found < size || scores[i] > scores[tokens[size - 1]]) {
                found = Math.min(found + 1, size);
                insert(i, tokens, found);
            }
        }
        float max = scores[argMax()];
        double sum = 0;
        for (float score : scores) {
            sum += FastExp.exp(score - max);
        }
        double normaliser = max + Math.log(sum);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (scores[tokens[i]] - normaliser);
        }
        return new TokenLogprobs((float) (scores[chosen] - normaliser), tokens, values);
    }

    /** Puts a token at its place among those before it, the last of which it pushes out. */
    private void insert(int token, int[] largest, int found) {
        int place = found - 1;
        while (place > 0 && scores[largest[place - 1]] < scores[token]) {
            largest[place] = largest[place - 1];
            place--;
        }
        largest[place] = token;
    }

    /**
     * Index of the largest score, the first of equals. Rounded to whole numbers the largest of a
     * block is found by vector instructions; where that is the largest of all, it is looked for in full.
     */
    private int argMax() {
        int top = Integer.MIN_VALUE;
        for (int block = 0; block < tops.length; block++) {
            tops[block] = top(block * BLOCK, Math.min((block + 1) * BLOCK, scores.length));
            top = Math.max(top, tops[block]);
        }
        int best = 0;
        float max = Float.NEGATIVE_INFINITY;
        for (int block = 0; block < tops.length; block++) {
            if (tops[block] < top) {
                continue;
            }
            for (int i = block * BLOCK; i < Math.min((block + 1) * BLOCK, scores.length); i++) {
                if (scores[i] > max) {
                    max = scores[i];
                    best = i;
                }
            }
        }
        if ((int) (max * ROUNDING) < top) {
            throw new IllegalStateException("the model gave logits that are not finite numbers"); // which round to 0
        }
        return best;
    }

    private int top(int from, int to) {
        int top = Integer.MIN_VALUE;
        for (int i = from; i < to; i++) {
            top = Math.max(top, (int) (scores[i] * ROUNDING));
        }
        return top;
    }

    private static void checkFinite(float largest) {
        if (!(largest > Float.NEGATIVE_INFINITY && largest < Float.POSITIVE_INFINITY)) {
            throw new IllegalStateException(
                    "the model gave logits that are not finite numbers (largest: " + largest + ")");
        }
    }
}
