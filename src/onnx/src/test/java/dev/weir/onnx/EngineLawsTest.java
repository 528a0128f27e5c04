package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineListener;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A request's tokens are its own, whoever is served beside it: engine, runner and model together. */
@Timeout(120)
class EngineLawsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final long seed = Long.getLong("tests.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int8-kv8"})
    void aRequestGivesTheSameTokensInABatchOfAnySizeAsAlone(String name) {
        System.out.println("EngineLawsTest runs with -Dtests.seed=" + seed);
        // Small chunks and a small budget: prompts are computed in several steps, between others' decode rows.
        EngineConfig config = new EngineConfig(64, 100_000, 48, 16, 4, 7); // with guesses while one is alone
        ModelFolder folder = ModelFolder.open(TinyModel.folder(name));
        try (Engine engine = Engine.start(
                OnnxModelRunner.open(folder, new RunnerOptions(TinyModel.SLOTS, 0, 0, 2)),
                config,
                EngineListener.NONE)) {
            List<GenerationRequest> requests = new ArrayList<>();
            List<List<Integer>> alone = new ArrayList<>();
            for (int i = 0; i < TinyModel.SLOTS; i++) {
                GenerationRequest request = request(i, engine.shape().vocabularySize());
                requests.add(request);
                alone.add(tokens(engine, request).block(PATIENCE));
            }
            for (int size = 2; size <= TinyModel.SLOTS; size++) {
                int first = random.nextInt(TinyModel.SLOTS - size + 1);
                List<List<Integer>> together = Flux.fromIterable(requests.subList(first, first + size))
                        .flatMapSequential(request -> tokens(engine, request), size)
                        .collectList()
                        .block(PATIENCE);
                assertThat(together)
                        .as("batch of " + size + ", seed " + seed)
                        .isEqualTo(alone.subList(first, first + size));
            }
        }
    }

    /** Every second one greedy, the others sampled with a seed; of lengths that keep joining and leaving the batch. */
    private GenerationRequest request(int number, int vocabulary) {
        int[] prompt = random.ints(1 + random.nextInt(60), 0, vocabulary).toArray();
        int maxTokens = 4 + random.nextInt(20);
        SamplingParams sampling = number % 2 == 0
                ? SamplingParams.greedy(maxTokens)
                : SamplingParams.builder(maxTokens)
                        .topK(20)
                        .topP(0.95f)
                        .seed(number)
                        .ignoreEos(true)
                        .build();
        return new GenerationRequest("request-" + number, prompt, sampling);
    }

    /** Prompts that repeat themselves, so that there is something to guess from. */
    @ParameterizedTest
    @CsvSource({"tiny-int8-kv8, true", "tiny-int8, false", "tiny-fp32, false"})
    void guessesThatAreCheckedChangeNoToken(String name, boolean canCheck) {
        System.out.println("EngineLawsTest runs with -Dtests.seed=" + seed);
        AtomicInteger drafted = new AtomicInteger();
        AtomicInteger accepted = new AtomicInteger();
        EngineListener listener = new EngineListener() {
            @Override
            public void stepped(StepStats stats) {
                drafted.addAndGet(stats.draftedTokens());
                accepted.addAndGet(stats.acceptedTokens());
            }
        };
        ModelFolder folder = ModelFolder.open(TinyModel.folder(name));
        RunnerOptions options = new RunnerOptions(2, 0, 0, 2);
        try (Engine plain = Engine.start(
                        OnnxModelRunner.open(folder, options),
                        EngineConfig.DEFAULT.withDraftTokens(0),
                        EngineListener.NONE);
                Engine drafting = Engine.start(
                        OnnxModelRunner.open(folder, options), EngineConfig.DEFAULT.withDraftTokens(15), listener)) {
            assertThat(drafting.shape().draftTokens() > 0).isEqualTo(canCheck);
            for (int i = 0; i < 20; i++) {
                int[] words = random.ints(6, 0, plain.shape().vocabularySize()).toArray();
                int[] prompt = IntStream.range(0, 24).map(at -> words[at % 6]).toArray();
                SamplingParams sampling = SamplingParams.builder(60)
                        .temperature(i % 2 == 0 ? 0 : 0.1f)
                        .seed(i)
                        .ignoreEos(true)
                        .build();
                GenerationRequest request = new GenerationRequest("r" + i, prompt, sampling);
                assertThat(tokens(drafting, request).block(PATIENCE))
                        .as("seed %d", seed)
                        .isEqualTo(tokens(plain, request).block(PATIENCE));
            }
        }
        assertThat(drafted.get() > 0).isEqualTo(canCheck);
        assertThat(accepted.get() > 0).isEqualTo(canCheck);
    }

    private static Mono<List<Integer>> tokens(Engine engine, GenerationRequest request) {
        return engine.generate(request)
                .flatMapIterable(
                        output -> IntStream.of(output.tokenIds()).boxed().toList())
                .collectList();
    }
}
