package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineListener;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import dev.weir.engine.StepOutput;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What is said in a conversation is the same with a prefix cache as without: engine, runner and model together. */
@Timeout(120)
class PrefixCacheLawsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final EngineConfig CONFIG = new EngineConfig(64, 100_000, 48, 32, 4);
    private static final int CONVERSATIONS = 12;
    private static final int TURNS = 3;

    private final long seed = Long.getLong("tests.seed", System.nanoTime());

    /** With room for all that is said, and for four blocks. */
    @ParameterizedTest
    @CsvSource({"tiny-fp32, 8m", "tiny-int8, 8m", "tiny-int4, 8m", "tiny-int8-kv8, 8m", "tiny-fp32, 64k"})
    void conversationsAreTheSameWithTheCacheAsWithout(String name, String memory) {
        System.out.println("PrefixCacheLawsTest runs with -Dtests.seed=" + seed);
        long bytes = memory.equals("8m") ? 8 << 20 : 64 << 10;
        List<List<StepOutput>> without = converse(name, 0);
        List<List<StepOutput>> with = converse(name, bytes);
        assertThat(tokens(with)).as("seed " + seed).isEqualTo(tokens(without));
        assertThat(cachedTokens(without)).isZero();
        assertThat(cachedTokens(with)).isPositive();
    }

    /** Conversations side by side, some with one system prompt; every second one greedy, the others seeded. */
    private List<List<StepOutput>> converse(String name, long prefixCacheBytes) {
        Random random = new Random(seed);
        ModelFolder folder = ModelFolder.open(TinyModel.folder(name));
        try (Engine engine = Engine.start(
                OnnxModelRunner.open(folder, new RunnerOptions(5, 0, 0, 2, prefixCacheBytes)),
                CONFIG,
                EngineListener.NONE)) {
            int vocabulary = engine.shape().vocabularySize();
            int[] system = random.ints(45, 0, vocabulary).toArray();
            int[][] texts = new int[CONVERSATIONS][];
            List<List<StepOutput>> all = new ArrayList<>();
            for (int turn = 0; turn < TURNS; turn++) {
                List<GenerationRequest> requests = new ArrayList<>();
                for (int i = 0; i < CONVERSATIONS; i++) {
                    int[] before = turn > 0 ? texts[i] : i % 3 == 0 ? new int[0] : system;
                    texts[i] = join(
                            before,
                            random.ints(1 + random.nextInt(12), 0, vocabulary).toArray());
                    int maxTokens = 2 + random.nextInt(8);
                    SamplingParams sampling = i % 2 == 0
                            ? SamplingParams.greedyExactly(maxTokens)
                            : SamplingParams.builder(maxTokens)
                                    .topK(20)
                                    .topP(0.95f)
                                    .seed(i)
                                    .ignoreEos(true)
                                    .build();
                    requests.add(new GenerationRequest(i + "." + turn, texts[i], sampling));
                }
                List<List<StepOutput>> answers = Flux.fromIterable(requests)
                        .flatMapSequential(request -> answer(engine, request), CONVERSATIONS)
                        .collectList()
                        .block(PATIENCE);
                assertThat(answers).isNotNull();
                for (int i = 0; i < CONVERSATIONS; i++) {
                    for (StepOutput output : answers.get(i)) {
                        texts[i] = join(texts[i], output.tokenIds());
                    }
                }
                all.addAll(answers);
            }
            return all;
        }
    }

    private static Mono<List<StepOutput>> answer(Engine engine, GenerationRequest request) {
        return engine.generate(request).collectList();
    }

    private static int[] join(int[] first, int... second) {
        int[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private static List<List<Integer>> tokens(List<List<StepOutput>> answers) {
        return answers.stream()
                .map(answer ->
                        answer.stream().map(output -> output.tokenIds()[0]).toList())
                .toList();
    }

    private static int cachedTokens(List<List<StepOutput>> answers) {
        return answers.stream()
                .mapToInt(answer -> answer.getFirst().cachedTokens())
                .sum();
    }
}
