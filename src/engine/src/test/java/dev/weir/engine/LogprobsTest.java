package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Log-probabilities against a softmax in double precision, and through the engine. */
@Timeout(60)
final class LogprobsTest {
    private static final int CONTEXT = 64;

    private static double[] logSoftmax(float[] logits) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        double[] logprobs = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            logprobs[i] = logits[i] - Math.log(sum);
        }
        return logprobs;
    }

    @Test
    void theyAreTheLogSoftmaxOfTheRowAndTheTopOnesAreItsLargest() {
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 50; round++) {
            float[] logits = new float[300];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = random.nextInt(-40, 40) / 4f; // with ties
            }
            double[] expected = logSoftmax(logits);
            int chosen = random.nextInt(logits.length);
            int count = round % 21;
            TokenLogprobs found =
                    new Sampler(300).logprobs(new BufferLogits(FloatBuffer.wrap(logits), 300), 0, chosen, count);
            assertThat((double) found.logprob()).isEqualTo(expected[chosen], offset(1e-5));
            List<Integer> largest = IntStream.range(0, 300)
                    .boxed()
                    .sorted(Comparator.comparingDouble(token -> -logits[token]))
                    .limit(count)
                    .toList();
            assertThat(found.topTokens())
                    .containsExactly(largest.stream().mapToInt(i -> i).toArray());
            double mass = 0;
            for (int i = 0; i < count; i++) {
                assertThat((double) found.topLogprobs()[i]).isEqualTo(expected[largest.get(i)], offset(1e-5));
                mass += Math.exp(found.topLogprobs()[i]);
            }
            assertThat(mass).isLessThanOrEqualTo(1 + 1e-5);
        }
    }

    @Test
    void aVocabularySmallerThanWhatIsAskedForIsToldWhole() {
        TokenLogprobs found =
                new Sampler(3).logprobs(new BufferLogits(FloatBuffer.wrap(new float[] {0, 2, 1}), 3), 0, 0, 20);
        assertThat(found.topTokens()).containsExactly(1, 2, 0);
        assertThat(Math.exp(found.topLogprobs()[0]) + Math.exp(found.topLogprobs()[1]) + Math.exp(found.logprob()))
                .isEqualTo(1, offset(1e-6));
    }

    @Test
    void everyTokenComesWithItsOwnAndThoseWhoDoNotAskGetNone() {
        SamplingParams asking =
                SamplingParams.builder(30).seed(4).ignoreEos(true).logprobs(5).build();
        int[] prompt = {1, 2, 3};
        try (Engine engine = Engine.start(
                new FakeModelRunner(2, CONTEXT), new EngineConfig(16, 100_000, 32, 8, 4), EngineListener.NONE)) {
            List<StepOutput> outputs = new ArrayList<>(engine.generate(new GenerationRequest("a", prompt, asking))
                    .collectList()
                    .block());
            assertThat(outputs).hasSize(30).allSatisfy(output -> {
                assertThat(output.logprobs()).hasSize(1);
                TokenLogprobs logprobs = output.logprobs().getFirst();
                assertThat(logprobs.topTokens()).hasSize(5);
                assertThat(logprobs.logprob()).isLessThanOrEqualTo(logprobs.topLogprobs()[0]);
                int place = IntStream.range(0, 5)
                        .filter(i -> logprobs.topTokens()[i] == output.tokenIds()[0])
                        .findFirst()
                        .orElse(-1);
                if (place >= 0) {
                    assertThat(logprobs.logprob()).isEqualTo(logprobs.topLogprobs()[place]);
                }
            });
            SamplingParams silent =
                    SamplingParams.builder(30).seed(4).ignoreEos(true).build();
            List<StepOutput> plain = engine.generate(new GenerationRequest("b", prompt, silent))
                    .collectList()
                    .block();
            assertThat(plain).allSatisfy(output -> assertThat(output.logprobs()).isEmpty());
            assertThat(plain.stream().map(output -> output.tokenIds()[0]))
                    .isEqualTo(
                            outputs.stream().map(output -> output.tokenIds()[0]).toList());
        }
    }

    @Test
    void penaltiesAndTemperatureDoNotShowInThem() {
        int[] prompt = {1, 2, 3};
        SamplingParams.Builder base =
                SamplingParams.builder(1).seed(4).ignoreEos(true).logprobs(20);
        SamplingParams changed = base.build().toBuilder()
                .temperature(0.1f)
                .repetitionPenalty(1.5f)
                .build();
        try (Engine engine = Engine.start(
                new FakeModelRunner(2, CONTEXT), new EngineConfig(16, 100_000, 32, 8, 4), EngineListener.NONE)) {
            TokenLogprobs plain = first(engine, new GenerationRequest("a", prompt, base.build()));
            TokenLogprobs other = first(engine, new GenerationRequest("b", prompt, changed));
            assertThat(other.topTokens()).isEqualTo(plain.topTokens());
            assertThat(other.topLogprobs()).isEqualTo(plain.topLogprobs());
        }
    }

    private static TokenLogprobs first(Engine engine, GenerationRequest request) {
        return engine.generate(request).blockFirst().logprobs().getFirst();
    }

    @Test
    void moreThanTwentyAreRefused() {
        assertThatThrownBy(() -> SamplingParams.builder(1).logprobs(21).build())
                .hasMessage("logprobs is 21 but must be from 0 to 20");
    }
}
