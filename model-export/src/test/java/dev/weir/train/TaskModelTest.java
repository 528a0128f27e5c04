package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class TaskModelTest {
    private static final GptConfig CONFIG = SmallGpts.GPT2;

    @BeforeEach
    void oneThread() {
        Torch.configure(1);
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void paddingNeverChangesWhatIsSaidOfASequence(GptConfig config) {
        FinetuneTask task = FinetuneTask.CLASSIFICATION;
        TaskModel model = model(SmallTasks.weights(config, task));
        List<TaskExample> examples = SmallTasks.examples(config, task);

        List<float[]> together = model.outputs(examples);

        for (int i = 0; i < examples.size(); i++) {
            float[] alone = model.outputs(List.of(examples.get(i))).getFirst();
            assertThat(together.get(i)).containsExactly(alone, within(2e-5f));
        }
    }

    @ParameterizedTest
    @EnumSource(FinetuneTask.class)
    void theTasksLossIsThatOfWhatIsSaid(FinetuneTask task) {
        TaskModel model = model(SmallTasks.weights(CONFIG, task));
        List<TaskExample> examples = SmallTasks.examples(CONFIG, task);
        List<float[]> outputs = model.outputs(examples);
        double expected = 0;
        for (int i = 0; i < examples.size(); i++) {
            TaskExample example = examples.get(i);
            float[] said = outputs.get(i);
            assertThat(said)
                    .hasSize(
                            task == FinetuneTask.MULTIPLE_CHOICE
                                    ? example.sequences().length
                                    : model.head().outputs());
            expected += task.isNumeric()
                    ? Math.pow(said[0] - example.target(), 2)
                    : LogProbabilities.loss(said, example.label());
        }
        try (PointerScope _ = new PointerScope()) {
            TaskModel.Losses losses = model.losses(TaskBatch.of(examples), false, Dropout.NONE);
            assertThat(losses.task().item_float()).isCloseTo((float) expected, within(1e-3f));
            assertThat(losses.language().item_float()).isZero();
        }
    }

    @Test
    void theLanguageLossIsThatOfEachTokenButPadding() {
        FinetuneTask task = FinetuneTask.SIMILARITY;
        GptWeights weights = SmallTasks.weights(CONFIG, task);
        List<TaskExample> examples = SmallTasks.examples(CONFIG, task);
        ReferenceForward reference = new ReferenceForward(weights);
        double expected = 0;
        for (TaskExample example : examples) {
            for (int[] sequence : example.sequences()) {
                float[][] logits = reference.logits(sequence);
                for (int i = 0; i + 1 < sequence.length; i++) {
                    expected += LogProbabilities.loss(logits[i], sequence[i + 1]);
                }
            }
        }
        try (PointerScope _ = new PointerScope()) {
            float language = model(weights)
                    .losses(TaskBatch.of(examples), true, Dropout.NONE)
                    .language()
                    .item_float();
            assertThat((double) language).isCloseTo(expected, withinPercentage(0.001));
        }
    }

    @ParameterizedTest
    @EnumSource(FinetuneTask.class)
    void lossesOfPartsAddUpToThoseOfTheWhole(FinetuneTask task) {
        TaskModel model = model(SmallTasks.weights(CONFIG, task));
        List<TaskExample> examples = SmallTasks.examples(CONFIG, task);
        List<TaskBatch> parts = TaskBatch.of(examples, 40);
        assertThat(parts).hasSizeGreaterThan(2);
        float taskLoss = 0;
        float language = 0;
        try (PointerScope _ = new PointerScope()) {
            for (TaskBatch part : parts) {
                TaskModel.Losses losses = model.losses(part, true, Dropout.NONE);
                taskLoss += losses.task().item_float();
                language += losses.language().item_float();
            }
            TaskModel.Losses whole = model.losses(TaskBatch.of(examples), true, Dropout.NONE);
            assertThat(whole.task().item_float()).isCloseTo(taskLoss, within(1e-3f));
            assertThat(whole.language().item_float()).isCloseTo(language, within(1e-3f * language));
        }
    }

    @Test
    void similarityDoesNotKnowWhichTextIsFirst() {
        TaskModel model = model(SmallTasks.weights(CONFIG, FinetuneTask.SIMILARITY));
        int[] one = {1, 2, 3, 4};
        int[] other = {9, 8};

        float there = said(model, one, other);

        assertThat(said(model, other, one)).isCloseTo(there, within(1e-5f));
        assertThat(said(model, one, one)).isNotCloseTo(there, within(1e-2f));
    }

    private static float said(TaskModel model, int[]... sequences) {
        return model.outputs(List.of(new TaskExample(sequences, 0, false))).getFirst()[0];
    }

    /** Along the gradient the loss changes by its length squared, by the definition of a gradient. */
    @ParameterizedTest
    @EnumSource(FinetuneTask.class)
    void gradientsAreThoseOfTheLoss(FinetuneTask task) {
        GptParameters parameters = new GptParameters(SmallTasks.weights(CONFIG, task));
        TaskModel model = new TaskModel(new GptModel(parameters));
        TaskBatch batch = TaskBatch.of(SmallTasks.examples(CONFIG, task));
        try (PointerScope _ = new PointerScope()) {
            loss(model, batch).backward();
        }
        for (String name : List.of(TaskHead.WEIGHT, TaskHead.BIAS, "wte.weight", "h.2.mlp.c_fc.weight", "ln_f.bias")) {
            float[] weights = parameters.tensor(name);
            float[] gradient = Torch.read(parameters.get(name).grad());
            double squared = 0;
            for (float g : gradient) {
                squared += (double) g * g;
            }
            if (name.equals(TaskHead.BIAS) && task == FinetuneTask.MULTIPLE_CHOICE) {
                // A score that all choices share changes nothing.
                assertThat(squared).isCloseTo(0, within(1e-8));
                continue;
            }
            double step = 0.02 / Math.sqrt(squared);
            double rise = moved(parameters, model, batch, name, weights, gradient, step)
                    - moved(parameters, model, batch, name, weights, gradient, -step);
            Torch.write(weights, parameters.get(name));
            assertThat(rise / (2 * step)).as(name).isCloseTo(squared, withinPercentage(3));
        }
    }

    private static double moved(
            GptParameters parameters,
            TaskModel model,
            TaskBatch batch,
            String name,
            float[] weights,
            float[] direction,
            double step) {
        float[] values = weights.clone();
        for (int i = 0; i < values.length; i++) {
            values[i] += (float) (step * direction[i]);
        }
        Torch.write(values, parameters.get(name));
        try (PointerScope _ = new PointerScope()) {
            return loss(model, batch).item_float();
        }
    }

    private static Tensor loss(TaskModel model, TaskBatch batch) {
        TaskModel.Losses losses = model.losses(batch, true, Dropout.NONE);
        return losses.task().add(losses.language().mul(new Scalar(0.01)));
    }

    @Test
    void aModelWithoutAHeadIsRefused() {
        GptModel plain = new GptModel(GptParameters.frozen(new NoisyGptWeights(CONFIG, 1)));
        assertThatThrownBy(() -> new TaskModel(plain))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("no head");
    }

    private static TaskModel model(GptWeights weights) {
        return new TaskModel(new GptModel(GptParameters.frozen(weights)));
    }
}
