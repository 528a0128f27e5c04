package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.CacheBlocks;
import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineListener;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import dev.weir.engine.StepOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Flux;

/** The engine and the tables of a paged cache agree about memory: what the one counts as free the other has. */
@Timeout(60)
class PagedEngineLawsTest {
    private static final int CONTEXT = 64;
    private static final int BLOCK = 8;
    private static final int REQUESTS = 3_000;

    private final long seed = Long.getLong("tests.seed", System.nanoTime());
    private final Random random = new Random(seed);

    private record Ask(GenerationRequest request, int cancelAfter, int readsAtOnce) {}

    /** With memory for all, for a few and for one whole context; with and without a prefix cache. */
    @ParameterizedTest
    @CsvSource({"16, 128, 0", "16, 128, 40", "16, 30, 0", "16, 30, 6", "32, 40, 100", "32, 8, 3"})
    void answersInLittleMemoryAreThoseOfEachAloneAndAllBlocksComeBack(int slots, int blocks, int pool) {
        List<Ask> asks = asks();
        List<List<Integer>> alone = answers(new PagedToyRunner(1, CONTEXT, new CacheBlocks(8, BLOCK), 0), asks, 1);
        PagedToyRunner runner = new PagedToyRunner(slots, CONTEXT, new CacheBlocks(blocks, BLOCK), pool);
        List<List<Integer>> together = answers(runner, asks, 64);
        assertThat(together).as("seed %d", seed).isEqualTo(alone);
        if (blocks < slots * CONTEXT / BLOCK) {
            assertThat(runner.fewestFree).as("seed %d", seed).isLessThan(blocks / 8 + pool);
        }
        assertThat(runner.free)
                .as("all but the last answer's and what the pool holds")
                .isGreaterThanOrEqualTo(blocks - 1);
    }

    private List<Ask> asks() {
        int[] beginning = random.ints(CONTEXT, 0, PagedToyRunner.VOCABULARY).toArray();
        List<Ask> asks = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            int[] prompt = Arrays.copyOf(beginning, 1 + random.nextInt(CONTEXT - 2));
            prompt[random.nextInt(prompt.length)] = random.nextInt(PagedToyRunner.VOCABULARY);
            GenerationRequest request = new GenerationRequest(
                            "r" + i, prompt, SamplingParams.greedyExactly(1 + random.nextInt(30)))
                    .of("tenant-" + random.nextInt(3), 0);
            asks.add(new Ask(
                    request,
                    random.nextInt(4) == 0 ? 1 + random.nextInt(8) : Integer.MAX_VALUE,
                    random.nextInt(4) == 0 ? 1 : 256));
        }
        return asks;
    }

    /** The tokens that each has read, of which some read one token at a time and some only the first few. */
    private static List<List<Integer>> answers(PagedToyRunner runner, List<Ask> asks, int atOnce) {
        EngineConfig config = new EngineConfig(REQUESTS, Integer.MAX_VALUE, 96, 16, 8);
        List<List<Integer>> answers;
        try (Engine engine = Engine.start(runner, config, EngineListener.NONE)) {
            answers = Flux.fromIterable(asks)
                    .flatMapSequential(
                            ask -> engine.generate(ask.request())
                                    .limitRate(ask.readsAtOnce())
                                    .flatMapIterable(PagedEngineLawsTest::tokens)
                                    .take(ask.cancelAfter())
                                    .collectList(),
                            atOnce)
                    .collectList()
                    .block();
            assertThat(engine.stats().isHealthy()).isTrue();
            engine.generate(new GenerationRequest("last", new int[1], SamplingParams.greedyExactly(1)))
                    .blockLast();
        }
        return answers == null ? List.of() : answers;
    }

    private static List<Integer> tokens(StepOutput output) {
        return IntStream.of(output.tokenIds()).boxed().toList();
    }
}
