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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The exported graph, run by ONNX Runtime, against the forward pass written down plainly in double precision. */
class GptGraphTest {
    private static final String ALL = "dev.weir.train.SmallGpts#graphs";
    private static final double TOLERANCE = 1e-4;

    private final int[] text = new Random(5).ints(40, 0, 270).toArray();
    private final StepPlan plan = new StepPlan(3);
    private final Path folder;

    GptGraphTest(@TempDir Path temporary) {
        folder = temporary.resolve("model");
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void prefillThenDecodeComputesWhatThePlainForwardPassDoes(GptConfig config) throws IOException {
        float[][] expected = expected(config);
        try (OnnxModelRunner runner = export(config, new GptGraphOptions(Precision.FP32))) {
            assertClose(prefill(runner, 2, 0, 17), expected, 16);
            for (int last = 17; last < text.length; last++) {
                plan.clear();
                plan.addIdleRow(0);
                plan.addIdleRow(3);
                plan.addDecodeRow(text[last], last);
                assertClose(row(runner.run(plan), 2), expected, last);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void chunksOfAnyLengthComputeWhatThePlainForwardPassDoes(GptConfig config) throws IOException {
        float[][] expected = expected(config);
        try (OnnxModelRunner runner = export(config, new GptGraphOptions(Precision.FP32))) {
            int start = 0;
            for (int length : new int[] {1, 2, 13, 1, 23}) {
                assertClose(prefill(runner, 1, start, length), expected, start + length - 1);
                start += length;
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void chunksWhoseLogitsNobodyWantsLeaveTheSameCache(Precision precision) throws IOException {
        for (Numerics numerics : Numerics.values()) {
            GptGraphOptions options = new GptGraphOptions(precision).withNumerics(numerics);
            try (OnnxModelRunner runner = export(SmallGpts.GPT3, options)) {
                prefill(runner, 0, 0, 16);
                float[] after = prefill(runner, 0, 16, 8);
                plan.clear();
                plan.addChunk(new PrefillChunk(1, text, 0, 16, false));
                plan.addChunk(new PrefillChunk(1, text, 16, 8, true));
                assertThat(row(runner.run(plan), runner.shape().slots() + 1)).containsExactly(after);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void logitsOfEveryPositionComeOutWhenAskedFor(GptConfig config) throws IOException {
        float[][] expected = expected(config);
        try (OnnxModelRunner runner = export(
                config,
                new GptGraphOptions(Target.CPU, Precision.FP32, true, null, Numerics.EXACT, List.of(), false))) {
            assertClose(prefill(runner, 0, 0, 20), expected, 19);
            plan.clear();
            plan.addDecodeRow(text[20], 20);
            assertClose(row(runner.run(plan), 0), expected, 20);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void eightBitsStayCloseToThePlainForwardPass(GptConfig config) throws IOException {
        export(config, new GptGraphOptions(Precision.INT8)).close();
        assertEightBitsOf(config);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void fastNumericsStayCloseAndLetNeighboursMoveTheRounding(GptConfig config) throws IOException {
        GptGraphOptions options = new GptGraphOptions(Precision.INT8);
        try (OnnxModelRunner exact = export(config, options)) {
            assertThat(exact.isBatchInvariant()).isTrue();
        }
        try (OnnxModelRunner fast = export(config, options.withNumerics(Numerics.FAST))) {
            assertThat(fast.isBatchInvariant()).isFalse();
        }
        assertEightBitsOf(config);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anEightBitCacheStaysCloseToo(GptConfig config) throws IOException {
        GptGraphOptions options = new GptGraphOptions(Precision.INT8);
        export(config, options).close();
        export(config, options.withKvScales(KvScales.calibrate(folder, 1))).close();
        assertEightBitsOf(config);
    }

    @Test
    void theWindowOfABandedLayerCountsTheTokenItself() throws IOException {
        GptConfig config = SmallGpts.GPT3;
        float[] fewer = expected(config.withWindow(config.window() - 1))[39];
        float[] more = expected(config.withWindow(config.window() + 1))[39];
        try (OnnxModelRunner runner = export(config, new GptGraphOptions(Precision.FP32))) {
            float[] actual = prefill(runner, 0, 0, 40);

            assertClose(actual, expected(config), 39);
            assertThat(LogProbabilities.largestDifference(actual, fewer)).isGreaterThan(100 * TOLERANCE);
            assertThat(LogProbabilities.largestDifference(actual, more)).isGreaterThan(100 * TOLERANCE);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void fourBitsComputeWhatTheStoredWeightsMean(GptConfig config) throws IOException {
        assertFourBits(config, new GptGraphOptions(Precision.INT4));
    }

    @Test
    void fourBitsAndAnEightBitCacheGoTogether() throws IOException {
        GptGraphOptions options = new GptGraphOptions(Precision.INT4);
        export(SmallGpts.GPT3, options).close();
        assertFourBits(SmallGpts.GPT3, options.withKvScales(KvScales.calibrate(folder, 1)));
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 40, 72})
    void aWidthOfBrokenBlocksIsFilledUp(int width) throws IOException {
        assertFourBits(new GptConfig(2, width / 8, width, 48, 270, 0), new GptGraphOptions(Precision.INT4));
    }

    private void assertFourBits(GptConfig config, GptGraphOptions options) throws IOException {
        export(config, options).close();
        ReferenceModel reference = ReferenceForward.of(new StoredWeights(weights(config), Precision.INT4));
        AcceptanceCheck check = AcceptanceCheck.of(folder, reference, List.of(text));

        assertThat(check.accepts(Precision.INT8)).as(check.toString()).isTrue();
        assertThat(check.accepts(Precision.FP32)).as(check.toString()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 40})
    void aRowOfFourBitsIsBitIdenticalAloneAndInABatch(int width) throws IOException {
        GptConfig config = new GptConfig(2, width / 8, width, 48, 270, 0);
        try (OnnxModelRunner runner = export(config, new GptGraphOptions(Precision.INT4))) {
            float[][] alone = new float[3][];
            for (int slot = 0; slot < 3; slot++) {
                prefill(runner, 0, 0, 5 + slot);
                plan.clear();
                plan.addDecodeRow(text[20 + slot], 5 + slot);
                alone[slot] = row(runner.run(plan), 0);
            }
            for (int slot = 0; slot < 3; slot++) {
                prefill(runner, slot, 0, 5 + slot);
            }
            plan.clear();
            for (int slot = 0; slot < 3; slot++) {
                plan.addDecodeRow(text[20 + slot], 5 + slot);
            }
            Logits together = runner.run(plan);
            for (int slot = 0; slot < 3; slot++) {
                assertThat(row(together, slot)).containsExactly(alone[slot]);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void halfFloatsComputeWhatFloatsDoOfTheRoundedWeights(GptConfig config) throws IOException {
        for (Precision precision : List.of(Precision.FP16, Precision.BF16)) {
            List<float[]> halves;
            try (OnnxModelRunner runner = export(config, new GptGraphOptions(precision))) {
                halves = prefillAndDecode(runner);
            }
            GptWeights rounded = new StoredWeights(weights(config), precision);
            try (OnnxModelRunner runner = export(rounded, new GptGraphOptions(Precision.FP32))) {
                List<float[]> floats = prefillAndDecode(runner);
                for (int i = 0; i < floats.size(); i++) {
                    assertThat(halves.get(i)).containsExactly(floats.get(i));
                }
            }
        }
    }

    @Test
    void aWeightThatNoHalfFloatHoldsIsNamed() {
        GptConfig config = SmallGpts.GPT2;
        GptWeights large = GptWeights.of(config, name -> {
            float[] values = weights(config).tensor(name);
            values[5] = name.equals("h.1.mlp.c_fc.weight") ? 70_000 : values[5];
            return values;
        });

        assertThatThrownBy(() -> export(large, new GptGraphOptions(Precision.FP16)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("\"h.1.mlp.c_fc.weight\" has a weight of 70000.0")
                .hasMessageContaining("choose fp32 or int8");
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void constantsInAFileOfTheirOwnGiveTheSameModel(Precision precision) throws IOException {
        GptConfig config = SmallGpts.GPT2;
        GptGraphOptions options = new GptGraphOptions(precision);
        List<float[]> expected;
        try (OnnxModelRunner runner = export(config, options)) {
            expected = prefillAndDecode(runner);
        }
        Path data = folder.resolve("model.onnx.data");
        assertThat(data).doesNotExist();
        long inlined = Files.size(folder.resolve("model.onnx"));
        long weights = new ModelCost(config).weightBytes(precision);
        assertThat(inlined).isBetween(weights, weights + 40_000);

        OnnxModelFile.write(GptGraph.of(weights(config), options), folder.resolve("model.onnx"), 1000);

        assertThat(Files.size(data)).isGreaterThan(weights * 9 / 10);
        assertThat(Files.size(folder.resolve("model.onnx"))).isLessThan(inlined / 2);
        try (OnnxModelRunner runner = open()) {
            List<float[]> actual = prefillAndDecode(runner);
            for (int i = 0; i < actual.size(); i++) {
                assertThat(actual.get(i)).containsExactly(expected.get(i));
            }
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

    @Test
    void aLlamaKnowsPositionsByTheirRotation() throws IOException {
        try (OnnxModelRunner runner = export(SmallGpts.LLAMA, new GptGraphOptions(Precision.FP32))) {
            int[] swapped = text.clone();
            swapped[3] = text[9];
            swapped[9] = text[3];
            float[] straight = prefill(runner, 0, 0, 20);
            plan.clear();
            plan.addChunk(new PrefillChunk(0, swapped, 0, 20, true));
            float[] other = row(runner.run(plan), runner.shape().slots());
            assertThat(LogProbabilities.largestDifference(straight, other)).isGreaterThan(100 * TOLERANCE);
        }
    }

    @Test
    void aLlamaHasNeitherAdaptersNorHeads() {
        GptWeights headed = GptWeights.of(
                SmallGpts.LLAMA,
                Optional.of(new TaskHead(FinetuneTask.CLASSIFICATION, List.of("no", "yes"))),
                weights(SmallGpts.LLAMA)::tensor);
        assertThatThrownBy(() -> LlamaGraph.of(headed, new GptGraphOptions(Precision.FP32)))
                .hasMessageContaining("neither the head of a task nor adapters");
    }

    private static GptWeights weights(GptConfig config) {
        return new NoisyGptWeights(config, 3);
    }

    private float[][] expected(GptConfig config) {
        return ReferenceForward.of(weights(config)).logits(text);
    }

    private OnnxModelRunner export(GptConfig config, GptGraphOptions options) throws IOException {
        return export(weights(config), options);
    }

    private OnnxModelRunner export(GptWeights weights, GptGraphOptions options) throws IOException {
        ExportSource source = new ExportSource(weights, OptionalInt.of(7), Map.of(), "a test", "");
        ModelFolderWriter.write(folder, source, options, _ -> "");
        return open();
    }

    private void assertEightBitsOf(GptConfig config) {
        ReferenceModel reference = ReferenceForward.of(weights(config));
        AcceptanceCheck check = AcceptanceCheck.of(folder, reference, List.of(text));

        assertThat(check.accepts(Precision.INT8)).as(check.toString()).isTrue();
        assertThat(check.accepts(Precision.FP32)).as(check.toString()).isFalse();
    }

    private OnnxModelRunner open() {
        return OnnxModelRunner.open(ModelFolder.open(folder), new RunnerOptions(3, 0, 0, 2));
    }

    /** Logits after a prefix and after each of three more tokens. */
    private List<float[]> prefillAndDecode(OnnxModelRunner runner) {
        List<float[]> logits = new ArrayList<>();
        logits.add(prefill(runner, 0, 0, 30));
        for (int last = 30; last < 33; last++) {
            plan.clear();
            plan.addDecodeRow(text[last], last);
            logits.add(row(runner.run(plan), 0));
        }
        return logits;
    }

    private float[] prefill(OnnxModelRunner runner, int slot, int start, int length) {
        plan.clear();
        plan.addChunk(new PrefillChunk(slot, text, start, length, true));
        return row(runner.run(plan), runner.shape().slots());
    }

    private static float[] row(Logits logits, int row) {
        float[] values = new float[logits.vocabularySize()];
        logits.read(row, values);
        return values;
    }

    private static void assertClose(float[] actual, float[][] expected, int position) {
        assertThat(LogProbabilities.largestDifference(actual, expected[position]))
                .as("largest difference at position " + position)
                .isLessThan(TOLERANCE);
    }
}
