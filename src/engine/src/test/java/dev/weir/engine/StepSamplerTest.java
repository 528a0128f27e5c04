package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StepSamplerTest {
    private static final int VOCABULARY = 3000;
    private static final int ROWS = 64;
    private static final int STEPS = 20;
    private static final int THREADS = 4;

    private final SplittableRandom random = new SplittableRandom(3);
    private final Set<Thread> constrainedOn = ConcurrentHashMap.newKeySet();

    /** Every third token but those that it had; notes who asks. */
    private final class Thirds implements TokenConstraint {
        private final BitSet had = new BitSet();

        @Override
        public void allow(BitSet tokens) {
            constrainedOn.add(Thread.currentThread());
            for (int token = 0; token < VOCABULARY; token += 3) {
                tokens.set(token, !had.get(token));
            }
        }

        @Override
        public void accept(int token) {
            had.set(token);
        }
    }

    private GenerationRequest request(int row) {
        SamplingParams.Builder sampling =
                SamplingParams.builder(STEPS + 1).seed(row).ignoreEos(true).temperature(row % 4 * 0.5f);
        switch (row % 5) {
            case 0 -> sampling.topP(0.9f);
            case 1 -> sampling.topK(1 + row);
            case 2 -> sampling.frequencyPenalty(1.5f).logprobs(3);
            case 3 -> sampling.logitBias(Map.of(row, 5f));
            default -> sampling.minP(0.1f);
        }
        GenerationRequest request = new GenerationRequest("r" + row, new int[] {row}, sampling.build());
        return row % 7 == 0 ? request.constrained(Thirds::new) : request;
    }

    private List<Sequence> sequences() {
        ModelShape shape = new ModelShape(VOCABULARY, ROWS, STEPS + 2, new int[] {0}, PrefixPool.NONE);
        TokenSubscription nobody = new TokenSubscription(new RecordingSubscriber(), command -> {});
        List<Sequence> sequences = new ArrayList<>();
        for (int row = 0; row < ROWS; row++) {
            sequences.add(new Sequence(request(row), nobody, shape, 0, null));
        }
        return sequences;
    }

    private Logits logits() {
        FloatBuffer scores = FloatBuffer.allocate(ROWS * VOCABULARY);
        for (int i = 0; i < scores.capacity(); i++) {
            scores.put(i, (float) random.nextGaussian(0, 3));
        }
        return new BufferLogits(scores, VOCABULARY);
    }

    @Test
    void rowsAreLoadedOfWhichAllScoresAreNeededAndNoOthers() {
        Logits logits = logits();
        RankedLogits remote = new RankedLogits(logits, 1, false);
        try (StepSampler near = new StepSampler(VOCABULARY, 1, 1);
                StepSampler far = new StepSampler(VOCABULARY, THREADS, 1)) {
            choose(near, sequences(), logits);
            choose(far, sequences(), remote);
            for (int row = 0; row < ROWS; row++) {
                assertThat(far.choice(row).token()).isEqualTo(near.choice(row).token());
            }
        }
        assertThat(remote.loaded).isEqualTo(remote.read).hasSizeBetween(ROWS / 2, ROWS - 1);
    }

    @Test
    void whereWeightsAreAddedUpFewerRowsAreLoadedWhoeverChooses() {
        Logits logits = logits();
        RankedLogits plain = new RankedLogits(logits, 64, false);
        RankedLogits alone = new RankedLogits(logits, 64, true);
        RankedLogits together = new RankedLogits(logits, 64, true);
        try (StepSampler one = new StepSampler(VOCABULARY, 1, 1);
                StepSampler several = new StepSampler(VOCABULARY, THREADS, 1)) {
            choose(one, sequences(), plain);
            choose(one, sequences(), alone);
            choose(several, sequences(), together);
            for (int row = 0; row < ROWS; row++) {
                assertThat(several.choice(row).token())
                        .isEqualTo(one.choice(row).token());
            }
        }
        assertThat(alone.loaded).isEqualTo(alone.read);
        assertThat(together.loaded).isEqualTo(alone.loaded);
        assertThat(plain.loaded).containsAll(alone.loaded).hasSizeGreaterThan(alone.loaded.size());
    }

    private static void choose(StepSampler sampler, List<Sequence> sequences, Logits logits) {
        sampler.clear();
        for (int row = 0; row < sequences.size(); row++) {
            sampler.add(sequences.get(row), row);
        }
        sampler.choose(logits);
    }

    @Test
    void severalThreadsChooseWhatOneChoosesAndConstraintsAreAskedOnTheCallingOne() {
        List<Sequence> alone = sequences();
        List<Sequence> together = sequences();
        try (StepSampler one = new StepSampler(VOCABULARY, 1, 1);
                StepSampler several = new StepSampler(VOCABULARY, THREADS, 1)) {
            for (int step = 0; step < STEPS; step++) {
                Logits logits = logits();
                choose(one, alone, logits);
                choose(several, together, logits);
                for (int row = 0; row < ROWS; row++) {
                    int token = several.choice(row).token();
                    assertThat(token).isEqualTo(one.choice(row).token());
                    assertThat(several.choice(row).logprobs())
                            .usingRecursiveComparison()
                            .isEqualTo(one.choice(row).logprobs());
                    alone.get(row).append(token, step);
                    together.get(row).append(token, step);
                }
            }
        }
        assertThat(constrainedOn).containsExactly(Thread.currentThread());
    }

    @Test
    void aRowThatCannotBeChosenFromSaysSoWhenItIsAskedAndTheOthersAreChosen() {
        FloatBuffer scores = FloatBuffer.allocate(ROWS * VOCABULARY);
        for (int token = 0; token < VOCABULARY; token++) {
            scores.put(9 * VOCABULARY + token, Float.NaN);
        }
        try (StepSampler sampler = new StepSampler(VOCABULARY, THREADS, 1)) {
            choose(sampler, sequences(), new BufferLogits(scores, VOCABULARY));
            for (int row = 0; row < ROWS; row++) {
                Choice choice = sampler.choice(row);
                if (row == 9) {
                    assertThatThrownBy(choice::token).hasMessageContaining("not finite numbers");
                } else {
                    assertThat(choice.token()).isBetween(0, VOCABULARY - 1);
                }
            }
        }
    }
}
