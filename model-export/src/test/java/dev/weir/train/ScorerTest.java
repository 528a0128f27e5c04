package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both ways to score windows against the forward pass written down plainly. */
class ScorerTest {
    private static final String ALL = "dev.weir.train.SmallGpts#all";
    private static final double TOLERANCE = 1e-3;

    private final List<Scorer.Window> windows = windows();

    @ParameterizedTest
    @MethodSource(ALL)
    void anExportedModelScoresEachWindowAsIfAlone(GptConfig config, @TempDir Path temporary) throws IOException {
        GptWeights weights = new NoisyGptWeights(config, 3);
        Path folder = temporary.resolve("model");
        ExportSource source = new ExportSource(weights, OptionalInt.of(7), Map.of(), "a test", "");
        ModelFolderWriter.write(folder, source, new GptGraphOptions(Precision.FP32), _ -> "");
        // Fewer slots than windows, so that a slot serves one after the other.
        try (Scorer scorer = OnnxScorer.open(folder, 3, 1)) {
            assertThat(scorer.context()).isEqualTo(48);
            assertThat(scorer.vocabularySize()).isEqualTo(270);
            assertThat(scorer.score(windows)).containsExactly(expected(weights), within(TOLERANCE));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aCheckpointScoresEachWindowAsIfAlone(GptConfig config) {
        GptWeights weights = new NoisyGptWeights(config, 3);
        try (Scorer scorer = new LibtorchScorer(weights, 3, 1)) {
            assertThat(scorer.context()).isEqualTo(48);
            assertThat(scorer.score(windows)).containsExactly(expected(weights), within(TOLERANCE));
        }
    }

    @Test
    void aWindowScoresSomethingAfterSomething() {
        assertThatThrownBy(() -> new Scorer.Window(new int[] {1, 2}, 0)).hasMessageContaining("from token 0");
        assertThatThrownBy(() -> new Scorer.Window(new int[] {1, 2}, 2)).hasMessageContaining("from token 2");
        assertThat(new Scorer.Window(new int[] {1, 2, 3}, 1).scored()).isEqualTo(2);
    }

    /** From the shortest to a full context and the token after it, scored from the start, the middle and the end. */
    private static List<Scorer.Window> windows() {
        Random random = new Random(8);
        List<Scorer.Window> windows = new ArrayList<>();
        for (int[] shape : new int[][] {{2, 1}, {49, 1}, {49, 48}, {10, 4}, {30, 29}, {12, 1}, {49, 20}}) {
            windows.add(new Scorer.Window(random.ints(shape[0], 0, 270).toArray(), shape[1]));
        }
        return windows;
    }

    private double[] expected(GptWeights weights) {
        ReferenceModel reference = new ReferenceForward(weights);
        double[] scores = new double[windows.size()];
        for (int i = 0; i < scores.length; i++) {
            int[] tokens = windows.get(i).tokens();
            float[][] logits = reference.logits(Arrays.copyOf(tokens, tokens.length - 1));
            for (int t = windows.get(i).from(); t < tokens.length; t++) {
                scores[i] -= LogProbabilities.loss(logits[t - 1], tokens[t]);
            }
        }
        return scores;
    }
}
