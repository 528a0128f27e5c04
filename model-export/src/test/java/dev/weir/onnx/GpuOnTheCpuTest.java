package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineFailedException;
import dev.weir.engine.EngineListener;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.Logits;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.SamplingParams;
import dev.weir.engine.StepPlan;
import dev.weir.train.PagedModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;

/** What runs on a GPU, on one that the CPU plays: all of it but NVIDIA's code and ONNX Runtime's kernels for it. */
@Timeout(120)
class GpuOnTheCpuTest {
    private static final String NAMES = "dev.weir.train.PagedModels#names";
    private static final long MEMORY = 2L << 30;
    private static final EngineConfig CONFIG = new EngineConfig(64, Integer.MAX_VALUE, 128, 32, 8);
    /** With a prefix cache, which shares blocks. */
    private static final RunnerOptions OPTIONS = new RunnerOptions(24, 0, 0, 0, 1 << 20);

    private final SoftwareCuda gpu = new SoftwareCuda(2, MEMORY);
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    @AfterEach
    void allIsGivenBackAndNothingWasMisused() {
        assertThat(gpu.misuses()).isEmpty();
        assertThat(gpu.held()).isZero();
        gpu.close();
    }

    @ParameterizedTest
    @MethodSource(NAMES)
    void greedyAnswersAreThoseOfTheCpu(String name) throws IOException {
        PagedModels.write(folder, name, "fp16");
        assertGood(GreedyCheck.run(cuda(), cpu(), 16, 8, 0, gpu, out));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama"})
    void withCachesOfEightBitsTheyAreToo(String name) throws IOException {
        PagedModels.write(folder, name, "int8");
        assertGood(GreedyCheck.run(cuda(), cpu(), 16, 8, 0, gpu, out));
    }

    @Test
    void logitsAreRankedAsSortingHasThem() throws IOException {
        PagedModels.write(folder, "tiny", "fp16");
        assertGood(RankingCheck.run(cuda(), gpu, out));
    }

    @Test
    void manyRequestsLeaveNothingBehind() throws IOException {
        PagedModels.write(folder, "tiny", "fp16");
        assertGood(ChurnCheck.run(cuda(), 220, 0, gpu, out));
    }

    @Test
    void stepsThatAreReplayedAnswerAsThoseThatAreNot() throws IOException {
        PagedModels.write(folder, "gpt2", "fp16");
        List<List<Integer>> replayed;
        PagedModelRunner first = open(0);
        try (Engine engine = Engine.start(first, CONFIG, EngineListener.NONE)) {
            replayed = answers(engine);
            assertThat(first.graphRuns()).isPositive();
        }
        PagedModelRunner second = open(0);
        second.replay(false);
        try (Engine engine = Engine.start(second, CONFIG, EngineListener.NONE)) {
            assertThat(answers(engine)).isEqualTo(replayed);
            assertThat(second.graphRuns()).isZero();
        }
    }

    @Test
    void sharedBlocksAndLittleMemoryAndTwoDevicesAnswerAsOneSequenceAlone() throws IOException {
        PagedModels.write(folder, "gpt2", "fp16");
        List<List<Integer>> alone;
        try (Engine engine = Engine.start(open(new RunnerOptions(1, 0, 0, 0)), CONFIG, EngineListener.NONE)) {
            alone = answers(engine);
        }
        RunnerOptions little = new RunnerOptions(24, 24 * blockBytes(), 0, 0, 1 << 20);
        try (Engine engine = Engine.start(open(little), CONFIG, EngineListener.NONE)) {
            assertThat(answers(engine)).isEqualTo(alone);
            assertThat(answers(engine)).isEqualTo(alone);
            assertThat(engine.stats().preemptions()).isPositive();
            assertThat(engine.stats().prefixBlocks()).isPositive();
        }
        PagedModelRunner first = open(0);
        PagedModelRunner second = open(1);
        try (Engine engine = Engine.start(List.of(first, second), CONFIG, EngineListener.NONE)) {
            assertThat(answers(engine)).isEqualTo(alone);
            assertThat(first.graphRuns()).isPositive();
            assertThat(second.graphRuns()).isPositive();
        }
        assertThatThrownBy(() -> open(2)).hasMessageContaining("device is cuda:2");
    }

    @Test
    void rowsThatAreLoadedTogetherHoldTheLogitsThatAreRanked() throws IOException {
        PagedModels.write(folder, "gpt2", "fp16");
        try (PagedModelRunner runner = open(0)) {
            int slots = runner.shape().slots();
            StepPlan plan = new StepPlan(slots);
            for (int row = 0; row < slots - 1; row++) {
                plan.addDecodeRow(3 * row, 0);
            }
            plan.addChunk(new PrefillChunk(slots - 1, new int[] {5, 6, 7}, 0, 3, true));
            Logits logits = runner.run(plan);
            long ranked = runner.fetchedBytes();
            int vocabulary = logits.vocabularySize();
            int[] rows = IntStream.range(0, slots)
                    .map(row -> row < slots - 1 ? row : slots)
                    .toArray();
            logits.load(rows, rows.length - 2);
            logits.load(rows, rows.length - 1); // but one of them is there
            assertThat(runner.fetchedBytes() - ranked).isEqualTo((rows.length - 1L) * vocabulary * Float.BYTES);
            for (int row : rows) { // the last one by itself
                float[] scores = new float[vocabulary];
                logits.read(row, scores);
                for (int rank = 0; rank < logits.ranked(); rank++) {
                    assertThat(scores[logits.rankedToken(row, rank)]).isEqualTo(logits.rankedScore(row, rank));
                }
                float last = logits.rankedScore(row, logits.ranked() - 1);
                assertThat(IntStream.range(0, vocabulary).filter(token -> scores[token] > last))
                        .hasSizeLessThan(logits.ranked());
            }
        }
    }

    @Test
    void whoWritesIntoASharedBlockGetsACopyAndTheOtherKeepsItsOwn() throws IOException {
        PagedModels.write(folder, "gpt2", "fp16");
        try (PagedModelRunner runner = open(0)) {
            int block = runner.blockTokens();
            int[] text = new Random(1).ints(block + 1, 0, 270).toArray();
            int[] other = Arrays.copyOf(text, block);
            for (int i = block / 2; i < block; i++) {
                other[i] = 269 - text[i];
            }
            StepPlan plan = new StepPlan(runner.shape().slots());
            plan.addChunk(new PrefillChunk(0, text, 0, block, true));
            runner.run(plan);
            plan.clear();
            plan.addSave(0, 0, 0);
            plan.addLoad(0, 1, 0);
            plan.addChunk(new PrefillChunk(1, other, block / 2, block / 2, true));
            plan.addChunk(new PrefillChunk(2, other, 0, block, true));
            float[][] ofOther = rows(runner, plan, 2);
            plan.clear();
            plan.addChunk(new PrefillChunk(0, text, block, 1, true));
            plan.addChunk(new PrefillChunk(3, text, 0, block + 1, true));
            float[][] ofText = rows(runner, plan, 2);
            for (float[][] pair : List.of(ofOther, ofText)) {
                for (int token = 0; token < pair[0].length; token++) {
                    assertThat(pair[0][token]).isCloseTo(pair[1][token], within(2e-3f));
                }
            }
        }
    }

    /** Logits of a plan's chunks. */
    private static float[][] rows(PagedModelRunner runner, StepPlan plan, int chunks) {
        Logits logits = runner.run(plan);
        float[][] rows = new float[chunks][logits.vocabularySize()];
        for (int i = 0; i < chunks; i++) {
            logits.read(runner.shape().slots() + i, rows[i]);
        }
        return rows;
    }

    @Test
    void whatAStepMovesDoesNotDependOnTheContext() throws IOException {
        PagedModels.write(folder, "gpt2", "fp16");
        try (PagedModelRunner runner = open(0)) {
            int[] text = new Random(1).ints(150, 0, 270).toArray();
            StepPlan plan = new StepPlan(runner.shape().slots());
            plan.addChunk(new PrefillChunk(0, text, 0, 2, true));
            runner.run(plan);
            long few = copiedByOneRow(runner, 2);
            plan.clear();
            plan.addChunk(new PrefillChunk(0, text, 2, 148, true));
            runner.run(plan);
            assertThat(copiedByOneRow(runner, 150)).isEqualTo(few);
            assertThat(runner.sentBytes() + runner.fetchedBytes()).isEqualTo(few);
        }
    }

    private long copiedByOneRow(PagedModelRunner runner, int position) {
        StepPlan plan = new StepPlan(runner.shape().slots());
        plan.addDecodeRow(9, position);
        long before = gpu.copiedBytes();
        runner.run(plan);
        return gpu.copiedBytes() - before;
    }

    @Test
    void aCallThatFailsEndsTheRequestsOfItsStepAndLaterOnesAreAnswered() throws IOException {
        PagedModels.write(folder, "tiny", "fp16");
        try (Engine engine = Engine.start(open(0), CONFIG, EngineListener.NONE)) {
            List<List<Integer>> before = answers(engine);
            gpu.fail(0, SoftwareCuda.OUT_OF_MEMORY);
            assertThatThrownBy(() -> answers(engine))
                    .isInstanceOf(EngineFailedException.class)
                    .cause()
                    .hasMessageContaining("failed with CUDA error 2: out of memory");
            assertThat(engine.stats().isHealthy()).isFalse();
            gpu.fail(0, SoftwareCuda.SUCCESS);
            assertThat(answers(engine)).isEqualTo(before);
        }
    }

    @Test
    void aDeviceThatIsGoneEndsEveryRequestAndNeitherTheProcessNorAThreadByAnError() throws IOException {
        PagedModels.write(folder, "tiny", "fp16");
        List<Throwable> uncaught = new CopyOnWriteArrayList<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((_, error) -> uncaught.add(error));
        try (Engine engine = Engine.start(open(0), CONFIG, EngineListener.NONE)) {
            gpu.fail(0, SoftwareCuda.ILLEGAL_ADDRESS);
            for (GenerationRequest request : requests(engine).subList(0, 3)) {
                assertThatThrownBy(() -> engine.generate(request).blockLast())
                        .isInstanceOf(EngineFailedException.class)
                        .cause()
                        .hasMessageContaining("illegal memory access");
            }
            assertThat(engine.stats().isHealthy()).isFalse();
            assertThat(engine.stats().running() + engine.stats().waiting()).isZero();
        }
        Thread.setDefaultUncaughtExceptionHandler(before);
        assertThat(uncaught).isEmpty();
        assertThat(gpu.held()).as("what such a device does not take back").isPositive();
        gpu.forget();
    }

    @Test
    void oneOfTwoDevicesGoesOnWithoutTheOther() throws IOException {
        PagedModels.write(folder, "tiny", "fp16");
        try (Engine engine = Engine.start(List.of(open(0), open(1)), CONFIG, EngineListener.NONE)) {
            List<List<Integer>> before = answers(engine);
            gpu.fail(0, SoftwareCuda.ILLEGAL_ADDRESS);
            assertThatThrownBy(() -> answers(engine)).isInstanceOf(EngineFailedException.class);
            assertThat(answers(engine)).isEqualTo(before);
        }
        gpu.forget();
    }

    @Test
    void whereNoGraphCanBeRecordedStepsAreComputedWithoutOne() throws IOException {
        PagedModels.write(folder, "tiny", "fp16");
        List<List<Integer>> replayed;
        try (Engine engine = Engine.start(open(0), CONFIG, EngineListener.NONE)) {
            replayed = answers(engine);
        }
        gpu.refuseGraphs();
        PagedModelRunner runner = open(0);
        runner.replay(true);
        try (Engine engine = Engine.start(runner, CONFIG, EngineListener.NONE)) {
            assertThat(answers(engine)).isEqualTo(replayed);
            assertThat(runner.graphRuns()).isZero();
        }
    }

    @Test
    void memoryThatDoesNotSufficeIsRefusedWithTheSettingThatDecides() throws IOException {
        PagedModels.write(folder, "tiny", "fp16");
        assertThatThrownBy(() -> PagedModelRunner.open(cuda(), OPTIONS, new CudaOptions(0, 0.005, true, 1024), gpu))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("set gpu-memory-fraction or kv-cache-memory higher");
        gpu.fail(0, SoftwareCuda.OUT_OF_MEMORY);
        assertThatThrownBy(() -> open(0)).isInstanceOf(ModelLoadException.class).hasMessageContaining("out of memory");
        gpu.fail(0, SoftwareCuda.SUCCESS);
    }

    /** Prompts with a beginning in common, a third of whose answers are drawn from all tokens. */
    private static List<GenerationRequest> requests(Engine engine) {
        Random random = new Random(4);
        int vocabulary = engine.shape().vocabularySize();
        int[] beginning = random.ints(100, 0, vocabulary).toArray();
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            int[] prompt = Arrays.copyOf(beginning, 1 + random.nextInt(beginning.length));
            prompt[prompt.length - 1] = random.nextInt(vocabulary);
            SamplingParams greedy = SamplingParams.greedyExactly(1 + random.nextInt(12));
            SamplingParams drawn =
                    greedy.toBuilder().temperature(1).topK(0).seed(i).build();
            requests.add(new GenerationRequest("r" + i, prompt, i % 3 == 0 ? drawn : greedy));
        }
        return requests;
    }

    /** Their answers, all at once. */
    private static List<List<Integer>> answers(Engine engine) {
        List<GenerationRequest> requests = requests(engine);
        List<List<Integer>> answers = Flux.fromIterable(requests)
                .flatMapSequential(
                        request -> engine.generate(request)
                                .flatMapIterable(output ->
                                        IntStream.of(output.tokenIds()).boxed().toList())
                                .collectList(),
                        requests.size())
                .collectList()
                .block();
        return answers == null ? List.of() : answers;
    }

    private long blockBytes() {
        ModelFolder model = cuda();
        return 2L * Short.BYTES * model.layers() * model.blockSize() * model.kvHeads() * model.headSize();
    }

    private PagedModelRunner open(RunnerOptions options) {
        return PagedModelRunner.open(cuda(), options, new CudaOptions(0, 0.9, true, 1024), gpu);
    }

    private PagedModelRunner open(int device) {
        CudaOptions options = new CudaOptions(device, 0.9, true, 1024);
        return PagedModelRunner.open(cuda(), OPTIONS, options, gpu);
    }

    private void assertGood(boolean isGood) {
        assertThat(isGood).as(said.toString(StandardCharsets.UTF_8)).isTrue();
    }

    private ModelFolder cuda() {
        return ModelFolder.open(folder.resolve("cuda"));
    }

    private ModelFolder cpu() {
        return ModelFolder.open(folder.resolve("cpu"));
    }
}
