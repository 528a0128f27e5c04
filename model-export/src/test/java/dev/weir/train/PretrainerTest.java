package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PretrainerTest {
    private static final int VOCABULARY = 257;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    private Tokenizer tokenizer;

    @BeforeEach
    void oneThreadAndFullPrecision() throws IOException {
        Torch.configure(1);
        BpeTrainer.train("", VOCABULARY, List.of("<|endoftext|>")).write(folder);
        tokenizer = Tokenizer.load(folder);
    }

    static Stream<GptConfig> oneOfEachFamily() {
        GptConfig gpt2 = new GptConfig(2, 2, 32, 16, VOCABULARY, 0);
        GptConfig gpt1 = new GptConfig(Family.GPT1, 2, 2, 32, 16, VOCABULARY, 0, 0, false, Direction.LTR);
        return Stream.of(gpt1, gpt2, gpt2.withWindow(5), gpt1.withOutputBias());
    }

    @ParameterizedTest
    @MethodSource("oneOfEachFamily")
    void theLossFallsOnARepetitiveText(GptConfig model) throws IOException {
        Recorder recorder = new Recorder();
        assertThat(Pretrainer.start(config(model, 60, 1), repetitive(), recorder)
                        .run(() -> false))
                .isTrue();
        assertThat(recorder.losses.getFirst()).isCloseTo(Math.log(VOCABULARY), within(0.2));
        assertThat(recorder.losses.getLast()).isLessThan(1.0);
        assertThat(recorder.evaluations.getLast().loss()).isLessThan(1.0);
        // One token is one byte here.
        Pretrainer.Evaluation last = recorder.evaluations.getLast();
        assertThat(last.bitsPerByte()).isCloseTo(last.loss() / Math.log(2), within(1e-9));
    }

    @Test
    void aResumedRunSeesBitIdenticalLosses() throws IOException {
        PretrainConfig config = config(12, 0.2, 2);
        Recorder whole = new Recorder();
        Pretrainer.start(config, random(), whole).run(() -> false);

        Recorder first = new Recorder();
        Pretrainer interrupted = Pretrainer.start(config, random(), first);
        assertThat(interrupted.run(() -> first.losses.size() == 7)).isFalse();
        assertThat(first.interruptions).isEqualTo(1);
        TrainingState.save(
                folder, interrupted.parameters(), interrupted.optimizer(), config, "d", interrupted.progress());

        Recorder second = new Recorder();
        Pretrainer resumed =
                Pretrainer.resume(config, random(), null, TrainingState.load(folder, "d"), second, Peers.NONE);
        assertThat(resumed.run(() -> false)).isTrue();
        List<Double> joined = new ArrayList<>(first.losses);
        joined.addAll(second.losses);
        assertThat(joined).isEqualTo(whole.losses);
        assertThat(second.evaluations.getLast()).isEqualTo(whole.evaluations.getLast());
    }

    @Test
    void aResumedRunSeesTheSameConversationsAndForgettingIsMeasuredFromTheStart() throws IOException {
        PretrainConfig config = config(12, 0.1, 1);
        PlainText plain = new PlainText("a text", new int[] {1, 2, 3, 4, 5}, tokenizer);
        Recorder whole = new Recorder();
        Pretrainer.start(config, conversations(), plain, new RandomGptWeights(config.model(), 1), whole, Peers.NONE)
                .run(() -> false);
        assertThat(whole.evaluations.getFirst().step()).isZero();
        assertThat(whole.evaluations)
                .allMatch(evaluation -> evaluation.plainLoss().isPresent());

        Recorder first = new Recorder();
        Pretrainer interrupted = Pretrainer.start(
                config, conversations(), plain, new RandomGptWeights(config.model(), 1), first, Peers.NONE);
        interrupted.run(() -> first.losses.size() == 5);
        TrainingState.save(
                folder, interrupted.parameters(), interrupted.optimizer(), config, "d", interrupted.progress());
        Recorder second = new Recorder();
        Pretrainer.resume(config, conversations(), plain, TrainingState.load(folder, "d"), second, Peers.NONE)
                .run(() -> false);
        List<Double> joined = new ArrayList<>(first.losses);
        joined.addAll(second.losses);
        assertThat(joined).isEqualTo(whole.losses);
        assertThat(second.evaluations.getLast()).isEqualTo(whole.evaluations.getLast());
    }

    @Test
    void aResumedAdapterLearnsOnAsIfNothingHadBeen() throws IOException {
        PretrainConfig all = config(12, 0.1, 1);
        GptWeights base = new RandomGptWeights(all.model(), 1);
        PretrainConfig config = withLora(all, new Lora(2, 4, "base", base));
        Recorder whole = new Recorder();
        Pretrainer run = Pretrainer.start(config, random(), null, adapted(config, base), whole, Peers.NONE);
        run.run(() -> false);
        assertThat(Torch.read(run.parameters().get("h.0.mlp.c_fc.weight")))
                .as("the base stays")
                .isEqualTo(base.tensor("h.0.mlp.c_fc.weight"));
        Recorder first = new Recorder();
        Pretrainer interrupted = Pretrainer.start(config, random(), null, adapted(config, base), first, Peers.NONE);
        interrupted.run(() -> first.losses.size() == 5);
        TrainingState.save(
                folder, interrupted.parameters(), interrupted.optimizer(), config, "d", interrupted.progress());
        Recorder second = new Recorder();
        Pretrainer.resume(config, random(), null, TrainingState.load(folder, "d"), second, Peers.NONE)
                .run(() -> false);
        List<Double> joined = new ArrayList<>(first.losses);
        joined.addAll(second.losses);
        assertThat(joined).isEqualTo(whole.losses);
        assertThatThrownBy(() -> all.requireSame(config.describe()))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--lora-rank is 0");
    }

    private static GptWeights adapted(PretrainConfig config, GptWeights base) {
        return new LoraWeights(base, Objects.requireNonNull(config.lora()), 1);
    }

    private static PretrainConfig withLora(PretrainConfig config, Lora lora) {
        return new PretrainConfig(
                config.model(),
                config.steps(),
                config.batch(),
                config.accumulate(),
                config.schedule(),
                config.beta1(),
                config.beta2(),
                config.weightDecay(),
                config.clip(),
                config.evalEvery(),
                config.evalBlocks(),
                config.matmul(),
                config.processes(),
                lora,
                config.seed());
    }

    /** Conversations of different lengths, of which the second half is an answer. */
    private ChatText conversations() {
        SplittableRandom random = new SplittableRandom(5);
        List<ChatExample> examples = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            int length = random.nextInt(4, 17);
            examples.add(new ChatExample(
                    random.ints(length, 0, 256).toArray(),
                    IntStream.range(length / 2, length - 1).toArray()));
        }
        return new ChatText("talks", examples.subList(0, 25), examples.subList(25, 30), tokenizer);
    }

    @Test
    void aRunIsNotResumedWithOtherSettingsOrData() throws IOException {
        Pretrainer run = Pretrainer.start(config(4, 0.0, 1), random(), new Recorder());
        TrainingState.save(folder, run.parameters(), run.optimizer(), config(4, 0.0, 1), "d", run.progress());
        assertThatThrownBy(() -> TrainingState.load(folder, "other"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("the data");
        TrainingState.Saved saved = TrainingState.load(folder, "d");
        assertThatThrownBy(
                        () -> Pretrainer.resume(config(5, 0.0, 1), random(), null, saved, new Recorder(), Peers.NONE))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--steps is 5")
                .hasMessageContaining("has 4");
    }

    @Test
    void aRunFromBeforeThereWereFamiliesGoesOnAsAGpt2() {
        PretrainConfig config = config(4, 0.0, 1);
        Map<String, String> saved = new HashMap<>(config.describe());
        saved.keySet().removeAll(List.of("family", "window", "output-bias", "direction"));
        assertThatCode(() -> config.requireSame(saved)).doesNotThrowAnyException();
        PretrainConfig banded = config(config.model().withWindow(8), 4, 1);
        assertThatThrownBy(() -> banded.requireSame(saved))
                .hasMessageContaining("the family of --preset is gpt3")
                .hasMessageContaining("has gpt2");
    }

    @Test
    void accumulatedPassesGiveTheGradientOfOneLargePass() {
        PretrainConfig config = config(1, 0.0, 1);
        GptParameters parameters = new GptParameters(new RandomGptWeights(config.model(), 1));
        GptModel model = new GptModel(parameters);
        AdamW optimizer = new AdamW(parameters, 0.9, 0.99, 0);
        long[] ids = new SplittableRandom(5).longs(32, 0, VOCABULARY).toArray();
        model.loss(Torch.longs(ids, 2, 16), Torch.longs(ids, 2, 16), Dropout.NONE)
                .backward();
        float[] whole = Torch.read(parameters.gradients());
        optimizer.zeroGradients();
        for (int half = 0; half < 2; half++) {
            long[] part = Arrays.copyOfRange(ids, half * 16, half * 16 + 16);
            model.loss(Torch.longs(part, 1, 16), Torch.longs(part, 1, 16), Dropout.NONE)
                    .div(new Scalar(2.0))
                    .backward();
        }
        assertThat(Torch.read(parameters.gradients())).containsExactly(whole, within(1e-6f));
    }

    @Test
    void aDivergingRunStopsAndSaysSo() {
        PretrainConfig normal = config(50, 0.0, 1);
        PretrainConfig config = new PretrainConfig(
                normal.model(),
                50,
                2,
                1,
                new LearningRateSchedule(1e30, 0, 0, 50),
                0.9,
                0.99,
                0,
                1,
                50,
                8,
                Matmul.FP32,
                1,
                null,
                1);
        assertThatThrownBy(
                        () -> Pretrainer.start(config, random(), new Recorder()).run(() -> false))
                .isInstanceOf(DivergedException.class)
                .hasMessageContaining("--learning-rate");
    }

    private static PretrainConfig config(int steps, double dropout, int accumulate) {
        return config(new GptConfig(1, 2, 32, 16, VOCABULARY, dropout), steps, accumulate);
    }

    private static PretrainConfig config(GptConfig model, int steps, int accumulate) {
        return new PretrainConfig(
                model,
                steps,
                4,
                accumulate,
                new LearningRateSchedule(1e-2, 1e-3, 4, steps),
                0.9,
                0.99,
                0.1,
                1.0,
                5,
                8,
                Matmul.FP32,
                1,
                null,
                11);
    }

    private TokenizedText repetitive() {
        int[] ids = IntStream.range(0, 500).map(i -> 65 + i % 7).toArray();
        return new TokenizedText(ids, Arrays.copyOf(ids, 100), tokenizer);
    }

    private TokenizedText random() {
        SplittableRandom random = new SplittableRandom(3);
        return new TokenizedText(
                random.ints(400, 0, 256).toArray(), random.ints(60, 0, 256).toArray(), tokenizer);
    }

    /** Keeps what a run reports. */
    private static final class Recorder implements Pretrainer.Listener {
        final List<Double> losses = new ArrayList<>();
        final List<Pretrainer.Evaluation> evaluations = new ArrayList<>();
        int interruptions;

        @Override
        public void stepped(Pretrainer.StepReport report) {
            losses.add(report.loss());
        }

        @Override
        public void evaluated(Pretrainer run, Pretrainer.Evaluation evaluation, boolean best) {
            evaluations.add(evaluation);
        }

        @Override
        public void interrupted(Pretrainer run) {
            interruptions++;
        }
    }
}
