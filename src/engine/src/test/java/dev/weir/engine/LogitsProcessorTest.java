package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the parameters that change logits do to the choices, over {@link FakeModelRunner}'s logits from 0 to 4. */
@Timeout(60)
final class LogitsProcessorTest {
    private static final int CONTEXT = 200;
    private static final int[] PROMPT = {1, 2, 3};

    private static SamplingParams params(UnaryOperator<SamplingParams.Builder> change) {
        return change.apply(SamplingParams.builder(80).seed(5).ignoreEos(true)).build();
    }

    private static List<Integer> text(SamplingParams sampling) {
        return FakeModelRunner.reference(new GenerationRequest("a", PROMPT, sampling), CONTEXT);
    }

    /** The logits of one row after the processor of such a request, which generated such tokens, has seen them. */
    private static float[] processed(float[] logits, SamplingParams sampling, int... generated) {
        LogitsProcessor processor = LogitsProcessor.of(new GenerationRequest("a", PROMPT, sampling));
        float[] row = logits.clone();
        if (processor != null) {
            Arrays.stream(generated).forEach(processor::accept);
            processor.prepare();
            processor.apply(row);
        }
        return row;
    }

    @Test
    void whatDoesNothingCostsNothingAndChangesNoBit() {
        SamplingParams plain = params(sampling -> sampling);
        SamplingParams neutral = params(sampling -> sampling.frequencyPenalty(0)
                .presencePenalty(-0f)
                .repetitionPenalty(1)
                .logitBias(Map.of())
                .badWords(List.of())
                .allowedTokenIds(List.of()));
        assertThat(LogitsProcessor.of(new GenerationRequest("a", PROMPT, neutral)))
                .isNull();
        assertThat(text(neutral)).isEqualTo(text(plain));
        // A processor that is there and has nothing to take away changes no choice either.
        SamplingParams all = params(sampling -> sampling.allowedTokenIds(
                new SplittableRandom(1).ints(2000, 0, 97).boxed().toList()));
        assertThat(text(all)).isEqualTo(text(plain));
        assertThat(text(params(sampling -> sampling.logitBias(Map.of(7, 0f))))).isEqualTo(text(plain));
    }

    @Test
    void penaltiesFollowTheirFormulas() {
        float[] logits = {1, 2, -2, 0.5f, 4, -1};
        SamplingParams sampling = params(
                builder -> builder.frequencyPenalty(0.5f).presencePenalty(0.25f).repetitionPenalty(2));
        // 1, 2 and 3 are the prompt's; 4 was said three times, 2 once, 5 never
        assertThat(processed(logits, sampling, 4, 2, 4, 4))
                .containsExactly(1, 2 / 2f, -2 * 2f - 0.5f - 0.25f, 0.5f / 2, 4 / 2f - 1.5f - 0.25f, -1);
        SamplingParams openAi = params(builder -> builder.frequencyPenalty(-1).presencePenalty(2));
        assertThat(processed(logits, openAi, 0)).containsExactly(1 + 1 - 2, 2, -2, 0.5f, 4, -1);
    }

    @Test
    void countsOfManyTokensAreExact() {
        SplittableRandom random = new SplittableRandom(3);
        int[] generated =
                random.ints(5000, 0, 1000).map(token -> token * token % 1000).toArray();
        float[] expected = new float[1000];
        for (int token : generated) {
            expected[token]--;
        }
        assertThat(processed(new float[1000], params(sampling -> sampling.frequencyPenalty(1)), generated))
                .isEqualTo(expected);
    }

    @Test
    void anExtremeRepetitionPenaltyLeavesNumbers() {
        for (float penalty : new float[] {Float.MIN_VALUE, Float.MAX_VALUE}) {
            assertThat(text(params(sampling -> sampling.repetitionPenalty(penalty))))
                    .hasSize(80);
        }
    }

    @Test
    void aPenaltyMakesTheAnswerRepeatItselfLess() {
        long plain = text(params(sampling -> sampling)).stream().distinct().count();
        assertThat(text(params(sampling -> sampling.frequencyPenalty(2))).stream()
                        .distinct())
                .hasSizeGreaterThan((int) plain);
        assertThat(text(params(sampling -> sampling.frequencyPenalty(-2))).stream()
                        .distinct())
                .hasSizeLessThan((int) plain);
    }

    @Test
    void aTokenWithTheLowestBiasIsNeverChosenAndOneWithTheHighestAlways() {
        for (float temperature : new float[] {0, 1, 2}) {
            assertThat(text(params(sampling -> sampling.temperature(temperature).logitBias(Map.of(7, 100f)))))
                    .containsOnly(7);
            int favourite =
                    text(params(sampling -> sampling.temperature(temperature))).getFirst();
            assertThat(text(params(sampling -> sampling.temperature(temperature).logitBias(Map.of(favourite, -100f)))))
                    .doesNotContain(favourite);
        }
    }

    @Test
    void onlyAllowedTokensAreChosen() {
        assertThat(text(params(sampling -> sampling.temperature(2).allowedTokenIds(List.of(96, 0, 5, 5)))))
                .containsOnly(0, 5, 96)
                .contains(0, 5, 96);
    }

    @Test
    void aBadWordIsNeverCompletedAndItsBeginningsAre() {
        List<Integer> plain = text(params(sampling -> sampling.allowedTokenIds(List.of(1, 2, 3))));
        List<Integer> word = List.of(1, 2, 1);
        assertThat(plain.toString()).contains("1, 2, 1");
        List<Integer> text = text(params(
                sampling -> sampling.allowedTokenIds(List.of(1, 2, 3)).badWords(List.of(word, List.of(3, 3)))));
        assertThat(text.toString()).contains("1, 2,").doesNotContain("1, 2, 1").doesNotContain("3, 3");
        assertThat(text(params(
                        sampling -> sampling.allowedTokenIds(List.of(1, 2)).badWords(List.of(List.of(2))))))
                .containsOnly(1);
    }

    @Test
    void aWordThatThePromptEndsWithMayStillBeCompleted() {
        assertThat(text(params(sampling -> sampling.allowedTokenIds(List.of(4)).badWords(List.of(List.of(3, 4))))))
                .containsOnly(4);
    }

    @Test
    void limitsThatLeaveNoTokenEndTheirOwnRequestAndLeaveTheEngineWell() throws Exception {
        SamplingParams contradiction =
                params(sampling -> sampling.allowedTokenIds(List.of(4)).badWords(List.of(List.of(4, 4, 4))));
        try (Engine engine = Engine.start(
                new FakeModelRunner(2, CONTEXT), new EngineConfig(16, 100_000, 32, 8, 4), EngineListener.NONE)) {
            RecordingSubscriber other = new RecordingSubscriber();
            engine.generate(new GenerationRequest("b", PROMPT, SamplingParams.greedyExactly(9)))
                    .subscribe(other);
            RecordingSubscriber subscriber = new RecordingSubscriber();
            engine.generate(new GenerationRequest("a", PROMPT, contradiction)).subscribe(subscriber);
            assertThatThrownBy(subscriber::awaitEnd)
                    .cause()
                    .isInstanceOf(NoTokenAllowedException.class)
                    .hasMessageContaining("after 2 tokens");
            assertThat(subscriber.tokens()).containsExactly(4, 4);
            other.awaitEnd();
            assertThat(other.tokens()).hasSize(9);
            assertThat(engine.stats().isHealthy()).isTrue();
        }
    }

    /** Says 10, then any of 20 to 29 as often as it likes, then 30, then only end of sequence. */
    private static final class Toy implements TokenConstraint {
        private final List<Integer> seen = new ArrayList<>();

        @Override
        public void allow(BitSet tokens) {
            if (seen.isEmpty()) {
                tokens.set(10);
            } else if (seen.getLast() == 30) {
                tokens.set(FakeModelRunner.EOS);
            } else {
                tokens.set(20, 31);
            }
        }

        @Override
        public void accept(int token) {
            if (token == 25) {
                throw new IllegalStateException("25 came");
            }
            seen.add(token);
        }
    }

    @Test
    void aConstraintDecidesWhatIsSaidEachGenerationByItsOwn() throws Exception {
        SamplingParams sampling =
                SamplingParams.builder(90).badWords(List.of(List.of(25))).build();
        try (Engine engine = Engine.start(
                new FakeModelRunner(3, CONTEXT), new EngineConfig(16, 100_000, 32, 8, 4), EngineListener.NONE)) {
            GenerationRequest request = new GenerationRequest("a", PROMPT, sampling).constrained(Toy::new);
            List<RecordingSubscriber> subscribers = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                RecordingSubscriber subscriber = new RecordingSubscriber();
                engine.generate(request).subscribe(subscriber);
                subscribers.add(subscriber);
            }
            for (RecordingSubscriber subscriber : subscribers) {
                assertThat(subscriber.awaitEnd()).isEqualTo(FinishReason.STOP);
                assertThat(subscriber.tokens().toString()).matches("\\[10(, 2[0-46-9])*, 30, 96]");
            }
        }
    }

    @Test
    void aConstraintThatThrowsFailsItsOwnGeneration() throws Exception {
        SamplingParams sampling =
                SamplingParams.builder(90).logitBias(Map.of(25, 100f)).build();
        try (Engine engine = Engine.start(
                new FakeModelRunner(3, CONTEXT), new EngineConfig(16, 100_000, 32, 8, 4), EngineListener.NONE)) {
            RecordingSubscriber other = new RecordingSubscriber();
            engine.generate(new GenerationRequest("b", PROMPT, SamplingParams.greedyExactly(9)))
                    .subscribe(other);
            RecordingSubscriber subscriber = new RecordingSubscriber();
            engine.generate(new GenerationRequest("a", PROMPT, sampling).constrained(Toy::new))
                    .subscribe(subscriber);
            assertThatThrownBy(subscriber::awaitEnd).cause().isInstanceOf(EngineFailedException.class);
            other.awaitEnd();
            assertThat(other.tokens()).hasSize(9);
        }
    }

    @Test
    void aConstraintThatCannotBeMadeRefusesItsRequestAndTakesNoPlace() throws Exception {
        GenerationRequest broken = new GenerationRequest("a", PROMPT, SamplingParams.greedy(3)).constrained(() -> {
            throw new IllegalStateException("no such grammar");
        });
        try (Engine engine = Engine.start(
                new FakeModelRunner(1, CONTEXT), new EngineConfig(0, 100_000, 32, 8, 4), EngineListener.NONE)) {
            for (int i = 0; i < 3; i++) {
                RecordingSubscriber refused = new RecordingSubscriber();
                engine.generate(broken).subscribe(refused);
                assertThatThrownBy(refused::awaitEnd).cause().hasMessage("no such grammar");
            }
            RecordingSubscriber served = new RecordingSubscriber();
            engine.generate(new GenerationRequest("b", PROMPT, SamplingParams.greedyExactly(3)))
                    .subscribe(served);
            served.awaitEnd();
            assertThat(served.tokens()).hasSize(3);
        }
    }

    @Test
    void aSharedRowOfLogitsIsLeftAsItWas() {
        FloatBuffer scores = FloatBuffer.wrap(new float[] {1, 2, 3});
        Logits logits = new BufferLogits(scores, 3);
        SamplingParams sampling = params(builder -> builder.temperature(0).logitBias(Map.of(0, 50f)));
        LogitsProcessor processor = LogitsProcessor.of(new GenerationRequest("a", new int[] {1}, sampling));
        Sampler sampler = new Sampler(3);
        int[] none = {};
        assertThat(sampler.sample(logits, 0, sampling, none, processor, new SplittableRandom(1)))
                .isZero();
        assertThat(sampler.sample(logits, 0, SamplingParams.greedy(1), none, null, new SplittableRandom(1)))
                .isEqualTo(2);
        assertThat(scores.get(0)).isEqualTo(1, offset(0f));
    }

    @Test
    void valuesOutOfRangeAreRefusedByName() {
        assertThatThrownBy(() -> params(sampling -> sampling.frequencyPenalty(2.5f)))
                .hasMessage("frequency_penalty is 2.5 but must be from -2 to 2");
        assertThatThrownBy(() -> params(sampling -> sampling.presencePenalty(Float.NaN)))
                .hasMessageStartingWith("presence_penalty is NaN");
        assertThatThrownBy(() -> params(sampling -> sampling.repetitionPenalty(0)))
                .hasMessage("repetition_penalty is 0.0 but must be above 0");
        assertThatThrownBy(() -> params(sampling -> sampling.logitBias(Map.of(1, 101f))))
                .hasMessage("logit_bias is 101.0 but must be from -100 to 100");
        assertThatThrownBy(() -> params(sampling -> sampling.badWords(List.of(List.of()))))
                .hasMessageStartingWith("bad_words");
    }
}
