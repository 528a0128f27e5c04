package dev.weir.train;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Small models with something learned beside their matrices, for what must hold for all. */
final class SmallAdapters {
    static final int RANK = 3;
    static final double ALPHA = 5;
    static final TaskHead HEAD = new TaskHead(FinetuneTask.CLASSIFICATION, List.of("a", "b", "c"));

    private SmallAdapters() {}

    /** Weights with A and B beside them in which nothing is zero, as after training. */
    static GptWeights weights(GptWeights base, int seed) {
        return learned(base, new Lora(RANK, ALPHA, "a base", base), seed);
    }

    /** The same with three tokens that are new to the base, and a head. */
    static GptWeights withTokensAndHead(GptWeights base, int seed) {
        int old = base.config().vocabularySize();
        TaskWeights start = new TaskWeights(base, base.config().withVocabularySize(old + 3), HEAD, old, old + 3, seed);
        GptWeights loud = GptWeights.of(start.config(), Optional.of(HEAD), name -> {
            float[] values = start.tensor(name);
            GptParameters.Span added = start.added(name, values.length);
            for (int i = 0; i < added.length(); i++) {
                // A bias stays zero, as in training: an adapter has no place for it.
                values[(int) added.offset() + i] *= name.equals(GptConfig.OUTPUT_BIAS) ? 0 : 20;
            }
            return values;
        });
        return learned(loud, new Lora(RANK, ALPHA, "a base", base).withNewTokens(old, old + 3), seed);
    }

    private static GptWeights learned(GptWeights base, Lora lora, int seed) {
        GptWeights beginning = new LoraWeights(base, lora, seed);
        return beginning.withTensors(name -> {
            float[] values = beginning.tensor(name);
            if (Lora.isName(name) && !Lora.isA(name)) {
                Random random = new Random(seed + name.hashCode());
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (0.05 * random.nextGaussian());
                }
            }
            return values;
        });
    }

    static int[] text(GptConfig config) {
        return new Random(5).ints(config.context(), 0, config.vocabularySize()).toArray();
    }

    /** The largest difference of all logits that both have. */
    static double difference(float[][] some, float[][] others) {
        double largest = 0;
        for (int i = 0; i < some.length; i++) {
            int length = Math.min(some[i].length, others[i].length);
            largest = Math.max(
                    largest,
                    LogProbabilities.largestDifference(
                            Arrays.copyOf(some[i], length), Arrays.copyOf(others[i], length)));
        }
        return largest;
    }
}
