package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final int[] NONE = {};
    private static final float[] LOGITS = {0.5f, 2.0f, -1.0f, 1.0f, 2.0f, -30.0f};

    private static final int DRAWS = 60_000;

    private final Sampler sampler = new Sampler(LOGITS.length);

    private static SamplingParams params(float temperature, int topK, float topP, float minP) {
        return SamplingParams.builder(1)
                .temperature(temperature)
                .topK(topK)
                .topP(topP)
                .minP(minP)
                .build();
    }

    private static Logits rows(float... scores) {
        return new BufferLogits(FloatBuffer.wrap(scores), scores.length);
    }

    /** Shares of many draws. */
    private double[] shares(SamplingParams params, int... suppressed) {
        SplittableRandom random = new SplittableRandom(1);
        double[] shares = new double[LOGITS.length];
        Logits logits = rows(LOGITS);
        for (int i = 0; i < DRAWS; i++) {
            shares[sampler.sample(logits, 0, params, suppressed, null, random)] += 1.0 / DRAWS;
        }
        return shares;
    }

    /** The exact distribution, computed by sorting. */
    private static double[] expected(SamplingParams params) {
        double[] weights = new double[LOGITS.length];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Math.exp((LOGITS[i] - 2.0) / params.temperature());
            if (weights[i] < params.minP()) {
                weights[i] = 0;
            }
        }
        Integer[] order = {0, 1, 2, 3, 4, 5};
        Arrays.sort(order, (a, b) -> weights[a] != weights[b] ? Double.compare(weights[b], weights[a]) : a - b);
        int k = params.topK() == 0 ? order.length : params.topK();
        double total = 0;
        for (int i = 0; i < k; i++) {
            total += weights[order[i]];
        }
        double[] kept = new double[LOGITS.length];
        double mass = 0;
        for (int i = 0; i < k && mass < params.topP() * total; i++) {
            kept[order[i]] = weights[order[i]];
            mass += weights[order[i]];
        }
        for (int i = 0; i < kept.length; i++) {
            kept[i] /= mass;
        }
        return kept;
    }

    @Test
    void greedyTakesTheFirstOfTheLargest() {
        assertThat(sampler.sample(rows(LOGITS), 0, params(0, 0, 1, 0), NONE, null, new SplittableRandom(1)))
                .isEqualTo(1);
    }

    @Test
    void sampledSharesFollowTheSoftmaxUnderEveryFilter() {
        List<SamplingParams> all = List.of(
                params(1, 0, 1, 0),
                params(0.5f, 0, 1, 0),
                params(2, 0, 1, 0),
                params(1, 1, 1, 0),
                params(1, 3, 1, 0),
                params(1, 0, 0.5f, 0),
                params(1, 0, 0.9f, 0),
                params(1, 4, 0.8f, 0),
                params(1, 0, 1, 0.3f),
                params(1.5f, 4, 0.9f, 0.1f));
        for (SamplingParams params : all) {
            double[] shares = shares(params);
            double[] expected = expected(params);
            for (int i = 0; i < shares.length; i++) {
                assertThat(shares[i]).as("token %d under %s", i, params).isEqualTo(expected[i], offset(0.01));
            }
        }
    }

    @Test
    void aFilteredTokenIsNeverDrawn() {
        double[] shares = shares(params(1, 2, 1, 0));
        assertThat(shares[1] + shares[4]).isEqualTo(1, offset(1e-9));
    }

    @Test
    void suppressedTokensAreNeverChosen() {
        assertThat(sampler.sample(rows(LOGITS), 0, params(0, 0, 1, 0), new int[] {1, 4}, null, new SplittableRandom(1)))
                .isEqualTo(3);
        assertThat(shares(params(1, 0, 1, 0), 1, 4)[1]).isZero();
    }

    @Test
    void anExtremelySmallTemperatureIsGreedyInEffect() {
        assertThat(shares(params(1e-30f, 0, 1, 0))[1] + shares(params(1e-30f, 0, 1, 0))[4])
                .isEqualTo(1, offset(1e-9));
        assertThat(sampler.sample(
                        rows(0, 1, 2, 3, 4, 5),
                        0,
                        params(Float.MIN_VALUE, 0, 1, 0),
                        NONE,
                        null,
                        new SplittableRandom(1)))
                .isEqualTo(5);
    }

    /** The three largest of these logits, and their sum, with the whole row if need be. */
    private static RankedLogits summed() {
        RankedLogits logits = new RankedLogits(rows(LOGITS), 3, true);
        logits.load(new int[] {0}, 1);
        return logits;
    }

    /** One choice, as the sum and the ranked scores decide it, or else the whole row. */
    private int drawBySum(Logits logits, SamplingParams params, SplittableRandom random) {
        float[] sums = new float[1];
        float[] inverses = {Sampler.inverseToSum(logits, params, NONE, null)};
        logits.sum(new int[] {0}, inverses, 1, sums);
        int drawn = sampler.sampleBySum(logits, 0, params, sums[0], random);
        return switch (drawn) {
            case OrderedScores.ANOTHER -> sampler.sampleUnranked(logits, 0, params, random);
            case OrderedScores.UNDECIDED -> sampler.sample(logits, 0, params, NONE, null, random);
            default -> drawn;
        };
    }

    @Test
    void sumsAndRankedScoresGiveTheSharesOfTheWholeRowAndReadItOnlyWhereTheyDoNotDecide() {
        Map<SamplingParams, Double> readsOf = Map.of(
                params(1, 0, 1, 0), 0.103, // the share of what is not ranked
                params(0.25f, 0, 1, 0), 0.001,
                params(1, 0, 0.5f, 0), 0.0,
                params(1, 0, 0.85f, 0), 0.0,
                params(1, 0, 0.95f, 0), 1.0,
                params(1, 0, 1, 0.4f), 0.0,
                params(1, 0, 0.8f, 0.4f), 0.0,
                params(1, 0, 1, 0.3f), 1.0);
        readsOf.forEach((params, reads) -> {
            RankedLogits logits = summed();
            SplittableRandom random = new SplittableRandom(1);
            double[] shares = new double[LOGITS.length];
            for (int i = 0; i < DRAWS; i++) {
                shares[drawBySum(logits, params, random)] += 1.0 / DRAWS;
            }
            double[] expected = expected(params);
            for (int i = 0; i < shares.length; i++) {
                assertThat(shares[i]).as("token %d under %s", i, params).isEqualTo(expected[i], offset(0.01));
            }
            assertThat(logits.reads.doubleValue() / DRAWS)
                    .as("reads under %s", params)
                    .isEqualTo(reads, offset(0.01));
        });
    }

    @Test
    void sumsAreNotAskedForWhereTheyWouldNotDecide() {
        RankedLogits logits = summed();
        assertThat(Sampler.inverseToSum(logits, params(0.5f, 0, 1, 0), NONE, null))
                .isEqualTo(2);
        assertThat(Sampler.inverseToSum(logits, params(0, 0, 1, 0), NONE, null)).isZero();
        assertThat(Sampler.inverseToSum(logits, params(1, 2, 1, 0), NONE, null)).isZero();
        assertThat(Sampler.inverseToSum(logits, params(1, 0, 1, 0), new int[] {3}, null))
                .isZero();
        assertThat(sampler.sampleBySum(logits, 0, params(1, 0, 1, 0), Float.NaN, new SplittableRandom(1)))
                .as("the whole row tells what is wrong")
                .isEqualTo(OrderedScores.UNDECIDED);
    }

    @Test
    void rankedScoresGiveTheTokensThatTheWholeRowGives() {
        SplittableRandom random = new SplittableRandom(3);
        Sampler large = new Sampler(50);
        List<SamplingParams> all = List.of(
                params(0, 0, 1, 0),
                params(1, 1, 1, 0),
                params(0.7f, 5, 1, 0),
                params(1, 6, 0.8f, 0),
                params(1.5f, 4, 0.9f, 0.1f),
                params(1e-30f, 4, 1, 0));
        for (int turn = 0; turn < 2000; turn++) {
            float[] scores = new float[50];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = random.nextInt(40) / 8f; // with ties
            }
            int[] suppressed = turn % 2 == 0 ? NONE : new int[] {random.nextInt(50), 7};
            for (SamplingParams params : all) {
                long seed = random.nextLong();
                int whole = large.sample(rows(scores), 0, params, suppressed, null, new SplittableRandom(seed));
                int ranked = large.sample(
                        new RankedLogits(rows(scores), 8, false),
                        0,
                        params,
                        suppressed,
                        null,
                        new SplittableRandom(seed));
                assertThat(ranked).as("%s of %s", params, scores).isEqualTo(whole);
            }
        }
    }

    @Test
    void whatRankedScoresDoNotDecideReadsTheWholeRow() {
        float[] scores = new float[50];
        Sampler large = new Sampler(50);
        for (SamplingParams params : List.of(params(1, 0, 1, 0), params(1, 0, 0.9f, 0), params(1, 9, 1, 0))) {
            assertThatThrownBy(() -> large.sample(
                            new RankedLogits(rows(scores), 8, false), 0, params, NONE, null, new SplittableRandom(1)))
                    .hasMessageContaining("whole row");
        }
    }

    /**
     * The same draw from a row that is sorted, the largest score first and of equals the lowest token: with top-k by inverse CDF in that
     * order; else by inverse CDF in the order of tokens, until one is drawn that is in the nucleus.
     */
    private static int sorted(float[] scores, SamplingParams params, SplittableRandom random) {
        int[] order = Stream.iterate(0, i -> i + 1)
                .limit(scores.length)
                .sorted((a, b) -> scores[a] != scores[b] ? Float.compare(scores[b], scores[a]) : a - b)
                .mapToInt(Integer::intValue)
                .toArray();
        int k = params.topK() == 0 ? scores.length : Math.min(params.topK(), scores.length);
        double[] weights = new double[scores.length];
        double total = 0;
        for (int i = 0; i < k; i++) {
            double weight = Math.exp((scores[order[i]] - (double) scores[order[0]]) / params.temperature());
            weights[order[i]] = weight < params.minP() ? 0 : weight;
            total += weights[order[i]];
        }
        int taken = 0;
        double mass = 0;
        while (taken < k && mass < params.topP() * total) {
            mass += weights[order[taken++]];
        }
        if (params.topK() > 0) {
            return order[drawn(order, taken, weights, random.nextDouble() * mass)];
        }
        int[] tokens = IntStream.range(0, scores.length).toArray();
        int[] place = new int[scores.length];
        IntStream.range(0, order.length).forEach(i -> place[order[i]] = i);
        int end = scores.length;
        while (true) {
            int token = drawn(
                    tokens,
                    tokens.length,
                    weights,
                    random.nextDouble() * Arrays.stream(weights).sum());
            if (place[token] < taken) {
                return token;
            }
            if (place[token] < end) { // none of less weight is drawn again
                end = place[token];
                double least = weights[token];
                Arrays.setAll(weights, i -> weights[i] < least ? 0 : weights[i]);
            }
        }
    }

    /** The place of the first of so many tokens with which the weight is over the target. */
    private static int drawn(int[] tokens, int count, double[] weights, double target) {
        double seen = 0;
        for (int i = 0; i < count; i++) {
            seen += weights[tokens[i]];
            if (seen > target) {
                return i;
            }
        }
        return count - 1;
    }

    @Test
    void drawsAreThoseOfASortedRowBeItFlatOrSteep() {
        SplittableRandom random = new SplittableRandom(5);
        int same = 0;
        int turns = 4000;
        for (int turn = 0; turn < turns; turn++) {
            int vocabulary = 2000 + random.nextInt(4000);
            double width = Math.exp(random.nextDouble() * 8 - 6); // of the scores, from 0.0025 to 7.4
            float[] scores = new float[vocabulary];
            for (int i = 0; i < vocabulary; i++) {
                scores[i] = (float) (random.nextGaussian() * width);
                if (turn % 3 == 0) {
                    scores[i] = Math.round(scores[i] * 8) / 8f; // with ties
                }
            }
            SamplingParams params = params(
                    (float) (0.2 + random.nextDouble() * 1.8),
                    turn % 4 == 0 ? 1 + random.nextInt(100) : 0,
                    turn % 5 == 0 ? 1 : (float) (0.05 + 0.95 * random.nextDouble()),
                    turn % 7 == 0 ? 0.01f : 0);
            long seed = random.nextLong();
            int drawn = new Sampler(vocabulary).sample(rows(scores), 0, params, NONE, null, new SplittableRandom(seed));
            if (drawn == sorted(scores, params, new SplittableRandom(seed))) {
                same++;
            }
        }
        // Rounding by some millionths moves a draw among thousands of equals to the neighbour now and then.
        assertThat(same).isGreaterThan(turns * 99 / 100);
    }

    @Test
    void theLargestIsFoundWhereverItIs() {
        SplittableRandom random = new SplittableRandom(6);
        for (int turn = 0; turn < 2000; turn++) {
            float[] scores = new float[1 + random.nextInt(5000)];
            double width = Math.pow(10, random.nextInt(12) - 4); // up to what is rounded to one number
            int best = 0;
            for (int i = 0; i < scores.length; i++) {
                scores[i] = (float) (random.nextGaussian() * width);
                best = scores[i] > scores[best] ? i : best;
            }
            assertThat(new Sampler(scores.length)
                            .sample(rows(scores), 0, params(0, 0, 1, 0), NONE, null, new SplittableRandom(1)))
                    .isEqualTo(best);
        }
    }

    @Test
    void theSameSeedDrawsTheSameTokens() {
        Logits logits = rows(LOGITS);
        SplittableRandom one = new SplittableRandom(7);
        SplittableRandom two = new SplittableRandom(7);
        for (int i = 0; i < 1000; i++) {
            assertThat(sampler.sample(logits, 0, params(1, 0, 0.95f, 0), NONE, null, one))
                    .isEqualTo(sampler.sample(logits, 0, params(1, 0, 0.95f, 0), NONE, null, two));
        }
    }

    @Test
    void logitsThatAreNotNumbersAreRefused() {
        float[] broken = {Float.NaN, Float.NaN, Float.NaN, Float.NaN, Float.NaN, Float.NaN};
        assertThatThrownBy(
                        () -> sampler.sample(rows(broken), 0, params(0, 0, 1, 0), NONE, null, new SplittableRandom(1)))
                .hasMessageContaining("not finite");
    }

    @Test
    void aScoreThatIsNoNumberIsNeverChosenAndARowWhoseLargestItHidesIsRefused() {
        float[] broken = LOGITS.clone();
        broken[2] = Float.NaN;
        float[] hidden = {-1, Float.NaN, -2, -3, -4, -5};
        for (SamplingParams params :
                List.of(params(0, 0, 1, 0), params(1, 0, 1, 0), params(1, 0, 0.9f, 0), params(1, 5, 1, 0))) {
            for (int seed = 0; seed < 200; seed++) {
                assertThat(sampler.sample(rows(broken), 0, params, NONE, null, new SplittableRandom(seed)))
                        .isNotEqualTo(2);
            }
            assertThatThrownBy(() -> sampler.sample(rows(hidden), 0, params, NONE, null, new SplittableRandom(1)))
                    .hasMessageContaining("not finite");
        }
    }

    @Test
    void weightsStayCloseToTheExactOnes() {
        float[] scores = new float[5000];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = 3 - i / 200f; // down to where nothing is left
        }
        TokenWeights weights = new TokenWeights(scores.length);
        weights.weigh(scores, 3, 1);
        assertThat(weights.weight(0)).isEqualTo(TokenWeights.ONE);
        for (int i = 0; i < scores.length; i++) {
            double exact = Math.exp(scores[i] - 3.0) * TokenWeights.ONE;
            assertThat((double) weights.weight(i)).isEqualTo(exact, offset(1 + 5e-6 * exact));
        }
        assertThat(weights.weight(scores.length - 1)).isZero();
    }

    @Test
    void theFastExponentialStaysCloseToTheExactOne() {
        for (float x = 0; x > -87; x -= 0.0137f) {
            assertThat(FastExp.exp(x) / Math.exp(x)).isEqualTo(1, offset(3e-7));
        }
        assertThat(FastExp.exp(-200)).isZero();
        assertThat(FastExp.exp(Float.NEGATIVE_INFINITY)).isZero();
        assertThat(FastExp.exp(0)).isEqualTo(1);
    }
}
