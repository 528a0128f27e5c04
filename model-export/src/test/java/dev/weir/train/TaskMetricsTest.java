package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Measures against values worked out by hand. */
class TaskMetricsTest {
    private static final Offset<Double> EXACT = within(1e-12);

    private static final TaskHead BINARY = new TaskHead(FinetuneTask.CLASSIFICATION, List.of("no", "yes"));

    @Test
    void labelsAreCountedByWhatIsTrueAndWhatWasSaid() {
        int[] actual = {0, 0, 0, 1, 1, 2};
        int[] predicted = {0, 0, 1, 1, 0, 2};

        long[][] confusion = TaskMetrics.confusion(predicted, actual, 3);

        assertThat(confusion).isDeepEqualTo(new long[][] {{2, 1, 0}, {1, 1, 0}, {0, 0, 1}});
        assertThat(TaskMetrics.accuracy(predicted, actual)).isCloseTo(4.0 / 6, EXACT);
        assertThat(TaskMetrics.f1(confusion, 0)).isCloseTo(2.0 / 3, EXACT);
        assertThat(TaskMetrics.f1(confusion, 1)).isCloseTo(0.5, EXACT);
        assertThat(TaskMetrics.macroF1(confusion)).isCloseTo((2.0 / 3 + 0.5 + 1) / 3, EXACT);
        // (4 * 6 - (3 * 3 + 2 * 2 + 1)) / sqrt((36 - 14) * (36 - 14))
        assertThat(TaskMetrics.matthews(confusion)).isCloseTo(10.0 / 22, EXACT);
    }

    @Test
    void forTwoLabelsMatthewsIsTheUsualFormula() {
        // 5 true positives, 3 true negatives, 1 false positive, 2 false negatives
        long[][] confusion = {{3, 1}, {2, 5}};

        assertThat(TaskMetrics.matthews(confusion))
                .isCloseTo((5 * 3 - 1 * 2) / Math.sqrt(6.0 * 7.0 * 4.0 * 5.0), EXACT);
    }

    @Test
    void aLabelThatIsNeitherSaidNorTrueAndAModelThatSaysOneThingOnlyScoreZero() {
        long[][] confusion = {{4, 0, 0}, {2, 0, 0}, {0, 0, 0}};

        assertThat(TaskMetrics.f1(confusion, 2)).isZero();
        assertThat(TaskMetrics.matthews(confusion)).isZero();
    }

    @Test
    void correlationsOfNumbers() {
        double[] x = {1, 2, 3, 4};
        double[] y = {1, 3, 2, 10};

        // Deviations -1.5 -0.5 0.5 1.5 and -3 -1 -2 6: 13 / sqrt(5 * 50)
        assertThat(TaskMetrics.pearson(x, y)).isCloseTo(13 / Math.sqrt(250), EXACT);
        // Ranks 1 2 3 4 and 1 3 2 4: 1 - 6 * 2 / (4 * 15)
        assertThat(TaskMetrics.spearman(x, y)).isCloseTo(0.8, EXACT);
        assertThat(TaskMetrics.pearson(x, new double[] {5, 5, 5, 5})).isZero();
    }

    @Test
    void equalNumbersShareTheirRanks() {
        assertThat(TaskMetrics.ranks(new double[] {7, 1, 7, 3, 7})).containsExactly(4, 1, 4, 2, 4);
    }

    @Test
    void aHeadsScoreIsThatOfItsLargestOutput() {
        List<TaskExample> examples = List.of(example(0), example(1), example(1), example(1));
        List<float[]> outputs = List.of(row(2, 0), row(0, 2), row(0, 1), row(1, 0));

        HeadScore score = HeadScore.of(BINARY, examples, outputs);

        double right2 = Math.log(1 + Math.exp(-2));
        assertThat(score.loss())
                .isCloseTo((2 * right2 + Math.log(1 + Math.exp(-1)) + Math.log(1 + Math.E)) / 4, within(1e-9));
        assertThat(score.main()).isEqualTo(0.75);
        assertThat(score.measures().keySet()).containsExactly("accuracy", "macro_f1", "f1", "matthews");
        // Of label 1: said twice and right, true three times.
        assertThat(score.measures().get("f1")).isCloseTo(0.8, EXACT);
    }

    @Test
    void ofTwoThatAreRightAsOftenTheSurerOneIsBetter() {
        List<TaskExample> examples = List.of(example(0), example(1));
        HeadScore sure = HeadScore.of(BINARY, examples, List.of(row(3, 0), row(0, 3)));
        HeadScore unsure = HeadScore.of(BINARY, examples, List.of(row(1, 0), row(0, 1)));
        HeadScore wrong = HeadScore.of(BINARY, examples, List.of(row(9, 0), row(1, 0)));

        assertThat(sure.isBetterThan(unsure)).isTrue();
        assertThat(unsure.isBetterThan(sure)).isFalse();
        assertThat(unsure.isBetterThan(wrong)).isTrue();
        assertThat(sure.isBetterThan(sure)).isFalse();
    }

    private static TaskExample example(double target) {
        return new TaskExample(new int[0][], target, false);
    }

    private static float[] row(float... values) {
        return values;
    }
}
