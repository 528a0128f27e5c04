package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.engine.Logits;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The exported graph, run by ONNX Runtime, against the forward pass written down plainly in double precision. */
class GptGraphTest {
    private static final GptConfig CONFIG = new GptConfig(3, 4, 64, 48, 270, 0);
    private static final GptWeights WEIGHTS = new NoisyGptWeights(CONFIG, 3);
    private static final double TOLERANCE = 1e-4;

    private final int[] text =
            new Random(5).ints(40, 0, CONFIG.vocabularySize()).toArray();
    private final float[][] expected = new ReferenceForward(WEIGHTS).logits(text);
    private final StepPlan plan = new StepPlan(3);
    private final Path folder;

    GptGraphTest(@TempDir Path temporary) {
        folder = temporary.resolve("model");
    }

    @Test
    void prefillThenDecodeComputesWhatThePlainForwardPassDoes() throws IOException {
        try (OnnxModelRunner runner = export(Precision.FP32, false)) {
            assertClose(prefill(runner, 2, 0, 17), 16);
            for (int last = 17; last < text.length; last++) {
                plan.clear();
                plan.addIdleRow(0);
                plan.addIdleRow(3);
                plan.addDecodeRow(text[last], last);
                assertClose(row(runner.run(plan), 2), last);
            }
        }
    }

    @Test
    void chunksOfAnyLengthComputeWhatThePlainForwardPassDoes() throws IOException {
        try (OnnxModelRunner runner = export(Precision.FP32, false)) {
            int start = 0;
            for (int length : new int[] {1, 2, 13, 1, 23}) {
                assertClose(prefill(runner, 1, start, length), start + length - 1);
                start += length;
            }
        }
    }

    @Test
    void logitsOfEveryPositionComeOutWhenAskedFor() throws IOException {
        try (OnnxModelRunner runner = export(Precision.FP32, true)) {
            assertClose(prefill(runner, 0, 0, 20), 19);
            plan.clear();
            plan.addDecodeRow(text[20], 20);
            assertClose(row(runner.run(plan), 0), 20);
        }
    }

    @Test
    void eightBitsStayCloseToThePlainForwardPass() throws IOException {
        export(Precision.INT8, false).close();
        AcceptanceCheck check = AcceptanceCheck.of(folder, new ReferenceForward(WEIGHTS), List.of(text));

        assertThat(check.accepts(Precision.INT8)).as(check.toString()).isTrue();
        assertThat(check.accepts(Precision.FP32)).as(check.toString()).isFalse();
    }

    @Test
    void constantsInAFileOfTheirOwnGiveTheSameModel() throws IOException {
        export(Precision.FP32, false).close();
        Path data = folder.resolve("model.onnx.data");
        assertThat(data).doesNotExist();
        long inlined = Files.size(folder.resolve("model.onnx"));

        OnnxModelFile.write(
                GptGraph.of(WEIGHTS, new GptGraphOptions(Precision.FP32)), folder.resolve("model.onnx"), 1000);

        assertThat(Files.size(data)).isGreaterThan(4 * CONFIG.parameters() * 9 / 10);
        assertThat(Files.size(folder.resolve("model.onnx"))).isLessThan(inlined / 10);
        try (OnnxModelRunner runner = open()) {
            assertClose(prefill(runner, 0, 0, 40), 39);
        }
    }

    @Test
    void headsThatAttentionCannotComputeAreRefused() {
        GptWeights odd = new NoisyGptWeights(new GptConfig(1, 2, 24, 8, 16, 0), 1);

        assertThatThrownBy(() -> GptGraph.of(odd, new GptGraphOptions(Precision.FP32)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("width / heads = 24 / 2 = 12")
                .hasMessageContaining("multiples of 8");
    }

    private OnnxModelRunner export(Precision precision, boolean allPositions) throws IOException {
        ExportSource source = new ExportSource(WEIGHTS, OptionalInt.of(7), Map.of(), "a test", "");
        ModelFolderWriter.write(folder, source, new GptGraphOptions(precision, allPositions, null), _ -> "");
        return open();
    }

    private OnnxModelRunner open() {
        return OnnxModelRunner.open(ModelFolder.open(folder), new RunnerOptions(3, 0, 0, 2));
    }

    private float[] prefill(OnnxModelRunner runner, int slot, int start, int length) {
        plan.clear();
        plan.addChunk(new PrefillChunk(slot, text, start, length, true));
        return row(runner.run(plan), runner.shape().slots());
    }

    private static float[] row(Logits logits, int row) {
        float[] values = new float[logits.vocabularySize()];
        logits.values().get(logits.offset(row), values);
        return values;
    }

    private void assertClose(float[] actual, int position) {
        assertThat(LogProbabilities.largestDifference(actual, expected[position]))
                .as("largest difference at position " + position)
                .isLessThan(TOLERANCE);
    }
}
