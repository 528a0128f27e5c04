package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.weir.engine.Logits;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The graph for CUDA against the graph for the CPU, of the same weights in half floats or bfloat16. What is shown is what the
 * paged graph means; ONNX Runtime's kernels for CUDA are not run.
 */
class PagedGraphTest {
    private static final String GPTS = "dev.weir.train.SmallGpts#all";
    private static final String ALL = "dev.weir.train.SmallGpts#graphs";

    /**
     * A half float has eleven bits, so each operation here is off by up to 2^-11 of what it adds to, where the CPU's graph
     * calculates in float32. Of logits up to 3 in size, 0.005 was seen.
     */
    private static final float HALF_TOLERANCE = 0.01f;

    /** The two round slightly different numbers to eight bits, and some fall on the other side of a step: 0.03 was seen. */
    private static final float EIGHT_BIT_TOLERANCE = 0.05f;

    /** bfloat16 has three bits less, so its operations are off by eight times as much: 0.03 was seen. */
    private static final float BFLOAT_TOLERANCE = 8 * HALF_TOLERANCE;

    /** The same numbers added up in another order. */
    private static final float FLOAT_TOLERANCE = 1e-5f;

    /** Rotations in bfloat16 are off by up to 2^-9: 0.005 was seen. */
    private static final float ROTATION_TOLERANCE = 0.02f;

    private static final int BLOCK_SIZE = 16;
    private static final int BLOCKS = 12;
    /** Of three sequences; blocks 3, 6 and 10 belong to nobody. */
    private static final int[][] TABLES = {{7, 2, 9}, {4, 11, 0}, {5, 1, 8}};

    /** Tokens of each sequence in each step: prefills, chunks that end within a block, and decoding, mixed. */
    private static final int[][] STEPS = {
        {17, 5, 0}, {1, 9, 3}, {12, 1, 20}, {1, 1, 1}, {0, 20, 1}, {1, 1, 1}, {1, 0, 9}, {3, 2, 2}, {1, 1, 1}
    };

    private final int[][] texts = new int[3][];
    private final Path temporary;

    PagedGraphTest(@TempDir Path temporary) {
        this.temporary = temporary;
        Random random = new Random(5);
        Arrays.setAll(texts, _ -> random.ints(40, 0, 270).toArray());
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void raggedStepsOverScrambledBlocksGiveTheTokensOfTheGraphForTheCpu(GptConfig config) throws Exception {
        GptGraphOptions options = new GptGraphOptions(Precision.FP16);
        assertSame(config, options, PagedArithmetic.HALF, HALF_TOLERANCE);
    }

    /** But for rotations, which the graph has rounded to bfloat16, as attention wants them. */
    @ParameterizedTest
    @MethodSource(ALL)
    void inBfloat16AllIsCalculatedThatTheGraphForTheCpuCalculates(GptConfig config) throws Exception {
        GptGraphOptions options = new GptGraphOptions(Precision.BF16);
        float tolerance = config.llama() == null ? FLOAT_TOLERANCE : ROTATION_TOLERANCE;
        assertSame(config, options, PagedArithmetic.WIDENED, tolerance);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theRoundingOfBfloat16LeavesTheTokensAsTheyAre(GptConfig config) throws Exception {
        GptGraphOptions options = new GptGraphOptions(Precision.BF16);
        assertSame(config, options, PagedArithmetic.ROUNDED, BFLOAT_TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anEightBitCacheGivesTheTokensOfTheGraphForTheCpuToo(GptConfig config) throws Exception {
        assertSame(config, calibrated(config, Precision.FP16), PagedArithmetic.HALF, EIGHT_BIT_TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anEightBitCacheBesideBfloat16DoesSoToo(GptConfig config) throws Exception {
        GptGraphOptions options = calibrated(config, Precision.BF16);
        assertSame(config, options, PagedArithmetic.ROUNDED, BFLOAT_TOLERANCE + EIGHT_BIT_TOLERANCE);
    }

    private GptGraphOptions calibrated(GptConfig config, Precision precision) throws IOException {
        GptGraphOptions options = new GptGraphOptions(precision);
        Path calibrated = write("calibrated", weights(config), options);
        return options.withKvScales(KvScales.calibrate(calibrated, 1));
    }

    private void assertSame(GptConfig config, GptGraphOptions onCpu, PagedArithmetic arithmetic, float tolerance)
            throws Exception {
        float[][][] expected = onCpu(write("cpu", weights(config), onCpu));
        try (PagedGraph graph = open(weights(config), onCpu.withTarget(Target.CUDA), arithmetic)) {
            int[] seen = new int[3];
            int compared = 0;
            for (int[] lengths : STEPS) {
                List<Integer> members = new ArrayList<>();
                PagedStep step = step(lengths, seen, members);
                float[][] logits = graph.run(step, "logits");
                for (int row = 0; row < logits.length; row++) {
                    int sequence = members.get(row);
                    float[] likely = expected[sequence][seen[sequence] - 1];
                    float[] found = Arrays.copyOf(logits[row], likely.length); // rows are filled up with zeros
                    String where = "sequence " + sequence + " after " + seen[sequence] + " tokens";
                    assertThat(LogProbabilities.largestDifference(likely, found))
                            .as(where)
                            .isLessThan(tolerance);
                    assertSameToken(likely, found, tolerance, where);
                    compared++;
                }
            }
            assertThat(compared).isEqualTo(24);
            assertThat(seen).containsExactly(37, 40, 38);
        }
    }

    /** The same token, unless the trusted logits of both are so close that rounding may decide. */
    private static void assertSameToken(float[] expected, float[] actual, float tolerance, String where) {
        int best = argmax(expected);
        int chosen = argmax(actual);
        if (expected[best] - expected[chosen] > tolerance / 2) {
            assertThat(chosen).as("token of " + where).isEqualTo(best);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aStepWritesTheSlotsThatItIsToldAndNoOthers(GptConfig config) throws Exception {
        try (PagedGraph graph = open(weights(config), cuda())) {
            int rowSize = config.kvHeads() * config.headSize();
            Set<Integer> written = new HashSet<>();
            int[] seen = new int[3];
            for (int[] lengths : STEPS) {
                PagedStep step = step(lengths, seen, new ArrayList<>());
                Map<String, float[]> before = graph.cached();
                graph.run(step, "logits");
                Set<Integer> now = new HashSet<>();
                Arrays.stream(step.slotMapping()).forEach(now::add);
                written.addAll(now);
                for (Map.Entry<String, float[]> layer : graph.cached().entrySet()) {
                    float[] after = layer.getValue();
                    for (int i = 0; i < after.length; i++) {
                        int slot = i / rowSize % (BLOCKS * BLOCK_SIZE);
                        if (now.contains(slot)) {
                            assertThat(after[i]).isFinite();
                        } else if (written.contains(slot)) {
                            assertThat(after[i]).isEqualTo(before.get(layer.getKey())[i]);
                        } else {
                            assertThat(after[i]).isNaN();
                        }
                    }
                }
            }
            assertThat(written).hasSize(37 + 40 + 38);
        }
    }

    @Test
    void logitsComeOutForTheTokensAskedForInTheirOrder() throws Exception {
        try (PagedGraph graph = open(weights(SmallGpts.GPT2), cuda())) {
            PagedStep step = step(new int[] {9, 0, 4}, new int[3], new ArrayList<>());
            float[][] all = graph.run(step.wanting(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), "logits");
            float[][] some = graph.run(step.wanting(12, 3, 3), "logits");

            assertThat(some).isDeepEqualTo(new float[][] {all[12], all[3], all[3]});
            assertThat(all[3]).isNotEqualTo(all[12]);
        }
    }

    @Test
    void aWrongTableOfBlocksShows() throws Exception {
        try (PagedGraph graph = open(weights(SmallGpts.GPT2), cuda())) {
            int[] text = texts[0];
            graph.run(PagedStep.of(BLOCK_SIZE, List.of(new PagedStep.Piece(text, 0, 20, new int[] {7, 2}))), "logits");
            PagedStep right = PagedStep.of(BLOCK_SIZE, List.of(new PagedStep.Piece(text, 20, 1, new int[] {7, 2})));
            PagedStep wrong = new PagedStep(
                    right.ids(),
                    right.positions(),
                    right.cumulative(),
                    right.past(),
                    new int[][] {{3, 2}},
                    right.slotMapping(),
                    right.metadata(),
                    right.wanted());

            assertThat(graph.run(right, "logits")[0][0]).isFinite();
            assertThat(graph.run(wrong, "logits")[0][0]).isNaN();
        }
    }

    @ParameterizedTest
    @MethodSource(GPTS)
    void theHeadOfATaskSaysTheSameToo(GptConfig config) throws Exception {
        TaskHead head = new TaskHead(FinetuneTask.CLASSIFICATION, List.of("no", "yes", "maybe"));
        GptWeights noisy = weights(config);
        GptWeights headed = GptWeights.of(config, Optional.of(head), name -> {
            if (!TaskHead.isName(name)) {
                return noisy.tensor(name);
            }
            float[] values = new float[name.equals(TaskHead.WEIGHT) ? 3 * config.width() : 3];
            Random random = new Random(name.hashCode());
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (0.1 * random.nextGaussian());
            }
            return values;
        });
        assertHeadSaysTheSame(headed, head, Precision.FP16, PagedArithmetic.HALF, HALF_TOLERANCE);
        assertHeadSaysTheSame(headed, head, Precision.BF16, PagedArithmetic.WIDENED, FLOAT_TOLERANCE);
    }

    private void assertHeadSaysTheSame(
            GptWeights headed, TaskHead head, Precision precision, PagedArithmetic arithmetic, float tolerance)
            throws Exception {
        Path folder = write("cpu-" + precision.label(), headed, new GptGraphOptions(precision));
        try (PagedGraph graph = open(headed, cuda(precision), arithmetic);
                OnnxTaskModel onCpu = OnnxTaskModel.open(folder, head, 0, 1)) {
            PagedStep step = step(new int[] {17, 5, 0}, new int[3], new ArrayList<>());
            float[][] said = graph.run(step, GptGraph.CLASS_LOGITS);
            List<float[]> expected = onCpu.outputs(List.of(
                    new TaskExample(new int[][] {Arrays.copyOf(texts[1], 5)}, 0, false),
                    new TaskExample(new int[][] {Arrays.copyOf(texts[0], 17)}, 0, false)));
            for (int row = 0; row < 2; row++) {
                assertThat(said[row]).hasSize(3);
                assertThat(LogProbabilities.largestDifference(expected.get(row), said[row]))
                        .isLessThan(tolerance);
            }
        }
    }

    /**
     * Schema, types and shapes are checked before kernels are looked for. Then ONNX Runtime tries what half floats that have
     * no kernel become on the CPU, float32, which paged attention does not take.
     */
    @Test
    void onnxRuntimeComplainsOfNothingButTheKernelThatTheCpuLacks() throws Exception {
        for (GptConfig config : List.of(SmallGpts.GPT1, SmallGpts.GPT2, SmallGpts.GPT3, SmallGpts.LLAMA)) {
            Path file = write("cuda", weights(config), cuda()).resolve("model.onnx");
            ModelProto right = ModelProto.parseFrom(Files.readAllBytes(file));
            assertThatThrownBy(() -> load(right))
                    .isInstanceOf(OrtException.class)
                    .hasMessageContaining("Type 'tensor(float)' of input parameter (InsertedPrecisionFreeCast_"
                            + (config.llama() == null ? "h.0.attn" : "layers.0.self_attn"));

            ModelProto.Builder wrong = right.toBuilder();
            wrong.getGraphBuilder().getInputBuilderList().stream()
                    .filter(input -> input.getName().equals("block_table"))
                    .forEach(input ->
                            input.getTypeBuilder().getTensorTypeBuilder().setElemType(DataType.INT64.getNumber()));
            assertThatThrownBy(() -> load(wrong.build()))
                    .isInstanceOf(OrtException.class)
                    .hasMessageContaining("Type 'tensor(int64)' of input parameter (block_table)");
        }
    }

    /** Here types are checked before kernels are looked for, too, and the CPU has none of bfloat16 from the first sum on. */
    @ParameterizedTest
    @MethodSource(ALL)
    void onnxRuntimeFindsNoOtherTypeInAGraphInBfloat16(GptConfig config) throws Exception {
        Path file = write("cuda", weights(config), cuda(Precision.BF16)).resolve("model.onnx");
        GraphProto graph = ModelProto.parseFrom(Files.readAllBytes(file)).getGraph();
        Stream.concat(graph.getInputList().stream(), graph.getOutputList().stream())
                .filter(info ->
                        info.getName().startsWith("past_key") || info.getName().startsWith("present"))
                .forEach(info -> assertThat(info.getType().getTensorType().getElemType())
                        .isEqualTo(DataType.BFLOAT16.getNumber()));
        assertThatThrownBy(() -> load(graph))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("Could not find an implementation for");

        int changed = 0;
        for (int i = 0; i < graph.getInitializerCount(); i++) {
            if (graph.getInitializer(i).getDataType() == DataType.BFLOAT16.getNumber()) {
                GraphProto.Builder wrong = graph.toBuilder();
                wrong.getInitializerBuilder(i).setDataType(DataType.FLOAT16.getNumber());
                assertThatThrownBy(() -> load(wrong.build()))
                        .as(graph.getInitializer(i).getName())
                        .isInstanceOf(OrtException.class)
                        .hasMessageContaining("Type Error");
                changed++;
            }
        }
        int tables = config.llama() == null ? 0 : 2;
        assertThat(changed).isEqualTo(config.tensorShapes().size() + tables);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theFileHoldsTheNearestBfloat16OfEachWeight(GptConfig config) throws Exception {
        Path file = write("cuda", weights(config), cuda(Precision.BF16)).resolve("model.onnx");
        Map<String, ByteBuffer> stored = new HashMap<>();
        for (TensorProto tensor :
                ModelProto.parseFrom(Files.readAllBytes(file)).getGraph().getInitializerList()) {
            stored.put(
                    tensor.getName(), tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
        }
        for (String name : config.tensorShapes().keySet()) {
            ByteBuffer halves = stored.get(name);
            for (float value : weights(config).tensor(name)) {
                int half = halves.getShort();
                double off = Math.abs((double) value - Float.intBitsToFloat(half << 16));
                for (int neighbour : new int[] {half - 1, half + 1}) {
                    double further = Math.abs((double) value - Float.intBitsToFloat(neighbour << 16));
                    boolean isNearer = off < further || (off == further && half % 2 == 0) || Double.isNaN(further);
                    assertThat(isNearer).as(name + ": " + value).isTrue();
                }
            }
            while (halves.hasRemaining()) { // rows that fill a table up
                assertThat(halves.getShort()).isZero();
            }
        }
    }

    private static void load(GraphProto graph) throws OrtException {
        OnnxGraphBuilder empty = new OnnxGraphBuilder("test");
        load(empty.model("test").toBuilder().setGraph(graph).build());
    }

    private static void load(ModelProto model) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            OrtEnvironment.getEnvironment()
                    .createSession(model.toByteArray(), options)
                    .close();
        }
    }

    /** Advances {@code seen} by the step's tokens and names the sequences that have some. */
    private PagedStep step(int[] lengths, int[] seen, List<Integer> members) {
        List<PagedStep.Piece> pieces = new ArrayList<>();
        // The last sequence first, so that rows are not sequences.
        for (int sequence = 2; sequence >= 0; sequence--) {
            if (lengths[sequence] > 0) {
                int end = seen[sequence] + lengths[sequence];
                int blocks = (end + BLOCK_SIZE - 1) / BLOCK_SIZE;
                pieces.add(new PagedStep.Piece(
                        texts[sequence], seen[sequence], lengths[sequence], Arrays.copyOf(TABLES[sequence], blocks)));
                members.add(sequence);
                seen[sequence] = end;
            }
        }
        return PagedStep.of(BLOCK_SIZE, pieces);
    }

    /** Logits after each token of each text from the graph for the CPU, one token at a time. */
    private float[][][] onCpu(Path folder) {
        float[][][] logits = new float[3][40][];
        try (OnnxModelRunner runner = OnnxModelRunner.open(ModelFolder.open(folder), new RunnerOptions(3, 0, 0, 1))) {
            StepPlan plan = new StepPlan(3);
            for (int position = 0; position < 40; position++) {
                plan.clear();
                for (int[] text : texts) {
                    plan.addDecodeRow(text[position], position);
                }
                Logits rows = runner.run(plan);
                for (int row = 0; row < 3; row++) {
                    logits[row][position] = new float[rows.vocabularySize()];
                    rows.read(row, logits[row][position]);
                }
            }
        }
        return logits;
    }

    private PagedGraph open(GptWeights weights, GptGraphOptions options) throws IOException, OrtException {
        return open(weights, options, PagedArithmetic.HALF);
    }

    private PagedGraph open(GptWeights weights, GptGraphOptions options, PagedArithmetic arithmetic)
            throws IOException, OrtException {
        Path folder = write("cuda", weights, options);
        return new PagedGraph(folder.resolve("model.onnx"), arithmetic, weights.config(), BLOCKS, BLOCK_SIZE);
    }

    private Path write(String name, GptWeights weights, GptGraphOptions options) throws IOException {
        Path folder = temporary.resolve(name);
        ModelFolderWriter.write(
                folder, new ExportSource(weights, OptionalInt.of(7), Map.of(), "a test", ""), options, _ -> "");
        return folder;
    }

    private static GptGraphOptions cuda() {
        return cuda(Precision.FP16);
    }

    private static GptGraphOptions cuda(Precision precision) {
        return new GptGraphOptions(precision).withTarget(Target.CUDA);
    }

    private static GptWeights weights(GptConfig config) {
        return new NoisyGptWeights(config, 3);
    }

    private static int argmax(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
