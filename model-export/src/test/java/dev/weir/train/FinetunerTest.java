package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FinetunerTest {
    private static final int OLD = 270;
    private static final GptConfig BASE = new GptConfig(3, 2, 32, 24, OLD, 0);
    private static final GptConfig TUNED = BASE.withVocabularySize(OLD + 3);

    private final PlainText text;

    FinetunerTest(@TempDir Path folder) throws IOException {
        Torch.configure(1); // Threads that wait for each other take turns slowly on a busy machine.
        Files.writeString(folder.resolve("tokenizer.json"), RandomTokenizer.json(OLD));
        Tokenizer tokenizer = Tokenizer.load(folder);
        text = new PlainText("a text", tokenizer.encode("the miller turns the wheel"), tokenizer);
    }

    /** Keeps what a run reports. */
    private static class Watcher implements Finetuner.Listener {
        final List<Finetuner.StepReport> steps = new ArrayList<>();
        final List<Finetuner.Evaluation> evaluations = new ArrayList<>();

        @Override
        public void stepped(Finetuner.StepReport report) {
            steps.add(report);
        }

        @Override
        public void evaluated(Finetuner run, Finetuner.Evaluation evaluation, boolean isBest) {
            evaluations.add(evaluation);
        }

        List<Double> losses() {
            return steps.stream().map(Finetuner.StepReport::loss).toList();
        }
    }

    @ParameterizedTest
    @EnumSource(FinetuneTask.class)
    void aTaskThatCanBeToldIsLearned(FinetuneTask task) throws IOException {
        Watcher watcher = new Watcher();
        Finetuner finetuner = new Finetuner(config(12, 0.1, 0, null), start(task), data(task), watcher);

        assertThat(finetuner.run(() -> false)).isTrue();

        Finetuner.Evaluation best = finetuner.best();

        assertThat(best.dev().main()).isGreaterThan(task.isNumeric() ? 0.95 : 0.999);
        assertThat(watcher.evaluations).hasSize(12).contains(best);
        assertThat(watcher.losses().getLast()).isLessThan(watcher.losses().getFirst());
        // The weights that are kept answer as targets are written.
        TaskModel kept = new TaskModel(new GptModel(GptParameters.frozen(finetuner.weights())));
        HeadScore again = HeadScore.of(kept, data(task).dev());
        assertThat(again.main()).isCloseTo(watcher.evaluations.getLast().dev().main(), within(1e-4));
        assertThat(again.loss())
                .isCloseTo(watcher.evaluations.getLast().dev().loss(), within(1e-3 * (1 + again.loss())));
    }

    @Test
    void withoutLambdaTheLossIsTheTasks() throws IOException {
        Watcher without = run(config(1, 0, 0, null));
        Watcher with = run(config(1, 0.7, 0, null));

        assertThat(without.steps).allMatch(step -> step.loss() == step.task() && step.language() == 0);
        assertThat(with.steps).allMatch(step -> step.language() > 1);
        assertThat(with.steps)
                .allSatisfy(
                        step -> assertThat(step.loss()).isCloseTo(step.task() + 0.7 * step.language(), within(1e-9)));
        // The first step sees the same weights and examples.
        assertThat(with.steps.getFirst().task())
                .isCloseTo(without.steps.getFirst().task(), within(1e-6));
    }

    @Test
    void lambdaKeepsTheLanguage() throws IOException {
        Watcher without = run(config(10, 0, 0, null));
        Watcher with = run(config(10, 1, 0, null));

        assertThat(with.evaluations.getLast().languageLoss())
                .isLessThan(without.evaluations.getLast().languageLoss());
    }

    @Test
    void whatIsRehearsedIsNotForgotten() throws IOException {
        FinetuneTask task = FinetuneTask.CLASSIFICATION;
        Finetuner.Data plain = data(task);
        TokenizedText rehearsal = new TokenizedText(text.tokens(), new int[0], text.tokenizer());
        Watcher watcher = new Watcher();
        FinetuneConfig config = config(10, 1, 0, null);
        new Finetuner(config, start(task), new Finetuner.Data(plain.train(), plain.dev(), text, rehearsal), watcher)
                .run(() -> false);

        Watcher examples = run(config);
        assertThat(watcher.evaluations.getLast().languageLoss())
                .isLessThan(examples.evaluations.getLast().languageLoss());
        assertThat(watcher.evaluations.getLast().dev().main()).isGreaterThan(0.99);
        assertThat(watcher.steps)
                .allSatisfy(step -> assertThat(step.loss()).isCloseTo(step.task() + step.language(), within(1e-9)));
        // The task's part of the first step is that of the examples alone.
        assertThat(watcher.steps.getFirst().task())
                .isCloseTo(examples.steps.getFirst().task(), within(1e-6));
    }

    @Test
    void theSameSeedGivesTheSameLosses() throws IOException {
        FinetuneConfig config = config(2, 0.5, 0, null);
        assertThat(run(config).losses()).isEqualTo(run(config).losses());
        assertThat(run(with(config, Matmul.FP32, 2)).losses())
                .isNotEqualTo(run(config).losses());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 3})
    void whatIsFrozenKeepsItsBits(int freeze) throws IOException {
        FinetuneTask task = FinetuneTask.CLASSIFICATION;
        TaskWeights start = start(task);
        Finetuner finetuner = new Finetuner(config(2, 0.5, 0.01, freeze), start, data(task), new Watcher());
        finetuner.run(() -> false);

        for (String name : start.tensorShapes().keySet()) {
            float[] before = start.tensor(name);
            float[] after = finetuner.parameters().tensor(name);
            boolean frozen = name.equals("wpe.weight")
                    || (name.startsWith("h.") && Integer.parseInt(name.substring(2, 3)) < freeze);
            if (name.equals("wte.weight")) {
                int old = OLD * BASE.width();
                assertThat(Arrays.copyOf(after, old)).isEqualTo(Arrays.copyOf(before, old));
                assertThat(Arrays.copyOfRange(after, old, after.length))
                        .isNotEqualTo(Arrays.copyOfRange(before, old, before.length));
            } else if (frozen) {
                assertThat(after).as(name).isEqualTo(before);
            } else {
                assertThat(after).as(name).isNotEqualTo(before);
            }
        }
    }

    @Test
    void besideTheWeightsATaskIsLearnedAndTheyKeepTheirBits() throws IOException {
        FinetuneTask task = FinetuneTask.CLASSIFICATION;
        TaskWeights start = start(task);
        Watcher watcher = new Watcher();
        Finetuner finetuner = new Finetuner(withLora(config(12, 0.1, 0, null)), start, data(task), watcher);
        finetuner.run(() -> false);

        assertThat(finetuner.best().dev().main()).isGreaterThan(0.9);
        for (String name : start.tensorShapes().keySet()) {
            float[] before = start.tensor(name);
            float[] after = finetuner.parameters().tensor(name);
            GptParameters.Span added = start.added(name, before.length);
            for (int i = 0; i < before.length; i++) {
                if (i < added.offset() || i >= added.offset() + added.length()) {
                    assertThat(after[i]).as(name).isEqualTo(before[i]);
                }
            }
            if (added.length() > 0) {
                assertThat(after).as(name).isNotEqualTo(before);
            }
        }
        // What is kept is the merged model, and does as well.
        GptWeights merged = Lora.merged(finetuner.weights());
        assertThat(merged.lora()).isEmpty();
        HeadScore again = HeadScore.of(
                new TaskModel(new GptModel(GptParameters.frozen(merged))),
                data(task).dev());
        assertThat(again.loss()).isCloseTo(watcher.evaluations.getLast().dev().loss(), within(1e-4));
    }

    private static FinetuneConfig withLora(FinetuneConfig config) {
        return new FinetuneConfig(
                config.model(),
                config.scratch(),
                config.lambda(),
                config.epochs(),
                config.batch(),
                config.learningRate(),
                config.warmUp(),
                config.beta1(),
                config.beta2(),
                config.weightDecay(),
                config.l2sp(),
                config.freeze(),
                new Lora(4, 8, "a base", new RandomGptWeights(BASE, 1)),
                config.clip(),
                config.matmul(),
                config.seed());
    }

    @Test
    void thePullTowardsTheStartIsZeroThereButForWhatIsNew() {
        TaskWeights start = start(FinetuneTask.CLASSIFICATION);
        GptParameters parameters = new GptParameters(start);
        L2Sp pull = new L2Sp(parameters, start, 0.5);

        double first = pull.addGradient();

        double added = 0;
        for (String name : start.tensorShapes().keySet()) {
            float[] weights = start.tensor(name);
            float[] gradient;
            try (PointerScope _ = new PointerScope()) {
                gradient = Torch.read(parameters.get(name).grad());
            }
            GptParameters.Span isNew = start.added(name, weights.length);
            for (int i = 0; i < weights.length; i++) {
                boolean counts = i >= isNew.offset() && i < isNew.offset() + isNew.length();
                assertThat(gradient[i]).as(name).isEqualTo(counts ? 0.5f * weights[i] : 0f);
                added += counts ? (double) weights[i] * weights[i] : 0;
            }
        }
        assertThat(first).isGreaterThan(0).isCloseTo(0.25 * added, within(1e-6));
        float[] moved = parameters.tensor("h.1.ln_1.bias");
        moved[3] += 2;
        Torch.write(moved, parameters.get("h.1.ln_1.bias"));
        assertThat(pull.addGradient() - first).isCloseTo(0.25 * 4, within(1e-5));
    }

    @Test
    void aStrongPullKeepsWeightsWhereTheyBegan() throws IOException {
        FinetuneTask task = FinetuneTask.CLASSIFICATION;
        assertThat(distance(task, 10)).isLessThan(0.5 * distance(task, 0));
    }

    private double distance(FinetuneTask task, double l2sp) throws IOException {
        TaskWeights start = start(task);
        Finetuner finetuner = new Finetuner(config(5, 0, l2sp, null), start, data(task), new Watcher());
        finetuner.run(() -> false);
        float[] before = start.tensor("h.1.mlp.c_fc.weight");
        float[] after = finetuner.parameters().tensor("h.1.mlp.c_fc.weight");
        double squared = 0;
        for (int i = 0; i < before.length; i++) {
            squared += Math.pow(after[i] - before[i], 2);
        }
        return Math.sqrt(squared);
    }

    @Test
    void aLossThatIsNoNumberEndsTheRunBeforeItIsSaved() {
        Watcher watcher = new Watcher() {
            @Override
            public void evaluated(Finetuner run, Finetuner.Evaluation evaluation, boolean isBest) {
                super.evaluated(run, evaluation, isBest);
                float[] poisoned = run.parameters().tensor("ln_f.bias");
                poisoned[0] = Float.NaN;
                Torch.write(poisoned, run.parameters().get("ln_f.bias"));
            }
        };
        assertThatThrownBy(() -> new Finetuner(
                                config(3, 0.5, 0, null),
                                start(FinetuneTask.CLASSIFICATION),
                                data(FinetuneTask.CLASSIFICATION),
                                watcher)
                        .run(() -> false))
                .isInstanceOf(DivergedException.class)
                .hasMessageContaining("diverged at step 7")
                .hasMessageContaining("--learning-rate");
        assertThat(watcher.evaluations).hasSize(1);
    }

    @Test
    void aRunStopsBetweenTwoStepsWhenAsked() throws IOException {
        Watcher watcher = new Watcher();
        Finetuner finetuner = new Finetuner(
                config(2, 0, 0, null), start(FinetuneTask.CLASSIFICATION), data(FinetuneTask.CLASSIFICATION), watcher);

        assertThat(finetuner.run(() -> watcher.steps.size() == 7)).isFalse();

        assertThat(watcher.steps).hasSize(7);
        assertThat(watcher.evaluations).containsExactly(finetuner.best());
    }

    @Test
    void bfloat16ProductsLeadTheSameWay() throws IOException {
        Watcher exact = run(config(2, 0.5, 0, null));
        Watcher reduced = run(with(config(2, 0.5, 0, null), Matmul.BF16, 1));

        assertThat(reduced.losses()).isNotEqualTo(exact.losses());
        for (int step = 0; step < exact.steps.size(); step++) {
            assertThat(reduced.losses().get(step)).isCloseTo(exact.losses().get(step), withinPercentage(2));
        }
    }

    @Test
    void theRateGoesUpAndThenStraightDown() {
        LinearSchedule schedule = new LinearSchedule(1, 2, 6);
        assertThat(schedule.at(0)).isEqualTo(0.5);
        assertThat(schedule.at(1)).isEqualTo(1);
        assertThat(schedule.at(2)).isEqualTo(1);
        assertThat(schedule.at(4)).isEqualTo(0.5);
        assertThat(schedule.at(5)).isEqualTo(0.25);
        assertThat(new LinearSchedule(1, 0, 1).at(0)).isEqualTo(1);
    }

    private Watcher run(FinetuneConfig config) throws IOException {
        Watcher watcher = new Watcher();
        new Finetuner(config, start(FinetuneTask.CLASSIFICATION), data(FinetuneTask.CLASSIFICATION), watcher)
                .run(() -> false);
        return watcher;
    }

    private static TaskWeights start(FinetuneTask task) {
        TaskHead head = new TaskHead(task, task.isLabelled() ? List.of("no", "yes") : List.of());
        return new TaskWeights(new RandomGptWeights(BASE, 1), TUNED, head, OLD, OLD + 3, 1);
    }

    private static FinetuneConfig config(int epochs, double lambda, double l2sp, @Nullable Integer freeze) {
        return new FinetuneConfig(
                TUNED, false, lambda, epochs, 8, 3e-3, 0.1, 0.9, 0.999, 0.01, l2sp, freeze, null, 1, Matmul.FP32, 1);
    }

    private static FinetuneConfig with(FinetuneConfig config, Matmul matmul, long seed) {
        return new FinetuneConfig(
                config.model(),
                config.scratch(),
                config.lambda(),
                config.epochs(),
                config.batch(),
                config.learningRate(),
                config.warmUp(),
                config.beta1(),
                config.beta2(),
                config.weightDecay(),
                config.l2sp(),
                config.freeze(),
                config.lora(),
                config.clip(),
                matmul,
                seed);
    }

    /** Random letters of which one, somewhere, gives the answer away. */
    private Finetuner.Data data(FinetuneTask task) {
        Random random = new Random(4);
        List<TaskExample> examples = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            int label = i % 2;
            double target = task.isNumeric() ? 100 + 50 * label : label;
            int[][] sequences = switch (task) {
                case CLASSIFICATION, REGRESSION, ENTAILMENT -> new int[][] {sequence(random, label)};
                case SIMILARITY -> new int[][] {sequence(random, label), sequence(random, label)};
                case MULTIPLE_CHOICE -> new int[][] {sequence(random, 1 - label), sequence(random, label)};
            };
            examples.add(new TaskExample(sequences, target, false));
        }
        return new Finetuner.Data(examples.subList(0, 48), examples.subList(48, 64), text, null);
    }

    private static int[] sequence(Random random, int label) {
        int[] sequence = random.ints(4 + random.nextInt(8), 'a', 'k').toArray();
        sequence[0] = OLD;
        sequence[1 + random.nextInt(sequence.length - 2)] = label == 1 ? 'y' : 'x';
        sequence[sequence.length - 1] = OLD + 2;
        return sequence;
    }
}
