package dev.weir.engine;

import java.util.BitSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the next token from a row of logits. Owned by the engine thread, whose scratch memory it reuses for every row.
 *
 * <p>First whatever the sequence does to its logits ({@link LogitsProcessor}), then temperature, then min-p (Nguyen et al., 2024), then top-k, then top-p (Holtzman et al., 2020) over what top-k left, as
 * vLLM orders them; then one draw by inverse CDF. Nothing is ever sorted: top-k and top-p take the largest from a heap
 * until they have enough. One random number is used per sampled token, none for a greedy one, so that a seed gives the same
 * text whatever else runs.
 */
final class Sampler {
    /** No token may be chosen. */
    static final int NO_TOKEN = -1;

    private final float[] weights;
    private final long[] heap;
    private final BitSet allowed;

    Sampler(int vocabularySize) {
        weights = new float[vocabularySize];
        heap = new long[vocabularySize];
        allowed = new BitSet(vocabularySize);
    }

    /**
     * The chosen token, or {@link #NO_TOKEN} if the sequence itself forbids all.
     *
     * @param logits scores of the step
     * @param row the row to choose from
     * @param suppressed tokens that must not be chosen
     * @param processor what the sequence does to its logits; null for nothing
     * @throws IllegalStateException if the scores are not numbers
     */
    int sample(
            Logits logits,
            int row,
            SamplingParams params,
            int[] suppressed,
            @Nullable LogitsProcessor processor,
            RandomGenerator random) {
        if (processor == null && needsRanked(params) + suppressed.length <= logits.ranked()) {
            return sampleRanked(logits, row, params, suppressed, random);
        }
        logits.read(row, weights);
        for (int token : suppressed) {
            weights[token] = Float.NEGATIVE_INFINITY;
        }
        if (processor != null) {
            processor.apply(weights, allowed);
        }
        int best = argMax();
        if (weights[best] == Float.NEGATIVE_INFINITY && (processor != null || suppressed.length > 0)) {
            return NO_TOKEN;
        }
        checkFinite(weights[best]);
        if (params.isGreedy()) {
            return best;
        }
        float sum = exponentiate(weights[best], params.temperature());
        if (params.minP() > 0) {
            sum = dropBelow(params.minP());
        }
        if ((params.topK() > 0 && params.topK() < weights.length) || params.topP() < 1) {
            return drawFromLargest(params.topK(), params.topP(), sum, random.nextDouble());
        }
        return drawFromAll(sum, random.nextDouble(), best);
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
        float max = 0;
        int size = 0;
        double sum = 0;
        for (int rank = 0; size < wanted && rank < logits.ranked(); rank++) {
            int token = logits.rankedToken(row, rank);
            if (contains(suppressed, token)) {
                continue;
            }
            float score = logits.rankedScore(row, rank);
            if (size == 0) {
                checkFinite(score);
                max = score;
            }
            if (params.isGreedy()) {
                return token;
            }
            float weight = FastExp.exp((score - max) * (1 / params.temperature()));
            if (weight <= 0 || weight < params.minP()) {
                break;
            }
            heap[size++] = entry(weight, token);
            sum += weight;
        }
        if (size == 0) {
            return NO_TOKEN;
        }
        for (int i = 0, j = size - 1; i < j; i++, j--) { // the largest at the end, as if taken from a heap
            long entry = heap[i];
            heap[i] = heap[j];
            heap[j] = entry;
        }
        return drawFromTaken(size, size, sum, params.topP(), random.nextDouble());
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
        logits.read(row, weights);
        int size = Math.min(count, weights.length);
        int[] tokens = new int[size];
        int found = 0;
        for (int i = 0; size > 0 && i < weights.length; i++) {
            if (found < size || weights[i] > weights[tokens[size - 1]]) {
                found = Math.min(found + 1, size);
                insert(i, tokens, found);
            }
        }
        float max = weights[argMax()];
        double sum = 0;
        for (float weight : weights) {
            sum += FastExp.exp(weight - max);
        }
        double normaliser = max + Math.log(sum);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (weights[tokens[i]] - normaliser);
        }
        return new TokenLogprobs((float) (weights[chosen] - normaliser), tokens, values);
    }

    /** Puts a token at its place among those before it, the last of which it pushes out. */
    private void insert(int token, int[] largest, int found) {
        int place = found - 1;
        while (place > 0 && weights[largest[place - 1]] < weights[token]) {
            largest[place] = largest[place - 1];
            place--;
        }
        largest[place] = token;
    }

    /** Index of the largest weight, the first of equals. */
    private int argMax() {
        int best = 0;
        float max = weights[0];
        for (int i = 1; i < weights.length; i++) {
            float weight = weights[i];
            if (weight > max) {
                max = weight;
                best = i;
            }
        }
        return best;
    }

    private static void checkFinite(float largest) {
        if (!(largest > Float.NEGATIVE_INFINITY && largest < Float.POSITIVE_INFINITY)) {
            throw new IllegalStateException(
                    "the model gave logits that are not finite numbers (largest: " + largest + ")");
        }
    }

    /** Turns logits into weights relative to the largest, which gets 1; returns their sum. */
    private float exponentiate(float max, float temperature) {
        float inverse = 1 / temperature;
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            float weight = FastExp.exp((weights[i] - max) * inverse);
            weights[i] = weight;
            sum += weight;
        }
        return (float) sum;
    }

    private float dropBelow(float threshold) {
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] < threshold) {
                weights[i] = 0;
            }
            sum += weights[i];
        }
        return (float) sum;
    }

    private int drawFromAll(float sum, double uniform, int best) {
        double target = uniform * sum;
        double seen = 0;
        for (int i = 0; i < weights.length; i++) {
            seen += weights[i];
            if (seen > target) {
                return i;
            }
        }
        return best; // rounding left the target a hair above the sum
    }

    /** Takes the largest weights until k are taken or, of what k leaves, the share p is reached; draws among them. */
    private int drawFromLargest(int topK, float topP, float sum, double uniform) {
        int size = heapify();
        int limit = topK == 0 ? size : Math.min(topK, size);
        // Taken entries pile up at the end of the array, largest last, as in heap sort.
        int taken = 0;
        double mass = 0;
        if (topK > 0) {
            while (taken < limit) {
                mass += weight(takeLargest(size - taken));
                taken++;
            }
            return drawFromTaken(size, limit, mass, topP, uniform);
        }
        while (taken < limit && mass < topP * sum) {
            mass += weight(takeLargest(size - taken));
            taken++;
        }
        return draw(size, taken, mass, uniform);
    }

    /** Draws among the largest that reach the share p of all that were taken, whose weights have that sum. */
    private int drawFromTaken(int size, int limit, double sum, float topP, double uniform) {
        int taken = 0;
        double mass = 0;
        while (taken < limit && mass < topP * sum) {
            mass += weight(heap[size - 1 - taken]);
            taken++;
        }
        return draw(size, taken, mass, uniform);
    }

    private int draw(int size, int taken, double mass, double uniform) {
        double target = uniform * mass;
        double seen = 0;
        for (int i = 0; i < taken; i++) {
            long entry = heap[size - 1 - i];
            seen += weight(entry);
            if (seen > target) {
                return token(entry);
            }
        }
        return token(heap[size - 1]);
    }

    /** Positive floats order like their bits; equal weights give the lower token first. */
    private static long entry(float weight, int token) {
        return ((long) Float.floatToRawIntBits(weight) << 32) | (Integer.MAX_VALUE - token);
    }

    private static float weight(long entry) {
        return Float.intBitsToFloat((int) (entry >>> 32));
    }

    private static int token(long entry) {
        return Integer.MAX_VALUE - (int) entry;
    }

    private int heapify() {
        int size = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] > 0) {
                heap[size++] = entry(weights[i], i);
            }
        }
        for (int i = size / 2 - 1; i >= 0; i--) {
            siftDown(i, size);
        }
        return size;
    }

    /** Moves the root to the last place of a heap of {@code size} and repairs the rest. */
    private long takeLargest(int size) {
        long largest = heap[0];
        heap[0] = heap[size - 1];
        heap[size - 1] = largest;
        siftDown(0, size - 1);
        return largest;
    }

    private void siftDown(int from, int size) {
        int parent = from;
        long moving = parent < size ? heap[parent] : 0;
        while (2 * parent + 1 < size) {
            int child = 2 * parent + 1;
            if (child + 1 < size && heap[child + 1] > heap[child]) {
                child++;
            }
            if (heap[child] <= moving) {
                break;
            }
            heap[parent] = heap[child];
            parent = child;
        }
        if (parent < size) {
            heap[parent] = moving;
        }
    }
}
