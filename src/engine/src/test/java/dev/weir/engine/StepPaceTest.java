package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StepPaceTest {
    private static final int CONTEXT = 1024;
    private static final int DECODING = 6;

    @Test
    void nothingIsHeldBackBeforeAnythingIsKnown() {
        StepPace pace = new StepPace();
        assertThat(pace.tokens(1.4)).isEqualTo(Integer.MAX_VALUE);
        pace.observe(128, 0, 40_000);
        assertThat(pace.tokens(1.4)).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void aStepGetsAsManyTokensAsItsStretchHasTimeFor() {
        StepPace pace = new StepPace();
        pace.observe(100, 0, 30_000); // 300 ns each
        pace.observe(0, 16, 12_000);
        assertThat(pace.tokens(1.5)).isEqualTo(20);
        assertThat(pace.tokens(Double.POSITIVE_INFINITY)).isEqualTo(Integer.MAX_VALUE);
        for (int i = 0; i < 50; i++) {
            pace.observe(16, 0, 16_000);
            pace.observe(0, 16, 24_000);
        }
        assertThat(pace.tokens(1.5)).isCloseTo(12, within(1));
    }

    @Test
    void aRowTakesItsPartOfTheStepsOfLate() {
        StepPace pace = new StepPace();
        assertThat(pace.nanosPerRow()).isZero();
        pace.observe(8, 0, 999_999);
        pace.observe(0, 16, 48_000);
        assertThat(pace.nanosPerRow()).isEqualTo(3_000);
        for (int i = 0; i < 50; i++) {
            pace.observe(0, 64, 64_000);
        }
        assertThat(pace.nanosPerRow()).isCloseTo(1_000, within(1.0));
    }

    /** Decode rows take no time to speak of, beside which any piece is long. */
    @Test
    void aLongPromptIsComputedInPiecesWhileOthersDecodeAndAShortOneAtOnce() throws Exception {
        FakeModelRunner model = new FakeModelRunner(8, CONTEXT);
        List<Integer> prefills = new ArrayList<>();
        AtomicReference<Engine> handle = new AtomicReference<>();
        AtomicBoolean areDecoding = new AtomicBoolean();
        model.computesApart = true;
        model.onRun = plan -> {
            handle.get().scheduler().pace().observe(1, 0, 1_000_000_000_000L);
            if (areDecoding.get()) {
                plan.chunks().forEach(chunk -> prefills.add(chunk.length()));
            }
        };
        try (Engine engine = Engine.start(model, EngineConfig.DEFAULT, EngineListener.NONE)) {
            handle.set(engine);
            List<RecordingSubscriber> decoding = new ArrayList<>();
            for (int i = 0; i < DECODING; i++) {
                decoding.add(start(engine, "d" + i, 3, 900));
            }
            for (RecordingSubscriber subscriber : decoding) {
                subscriber.awaitTokens(20);
            }
            areDecoding.set(true);
            start(engine, "long", 900, 1).awaitEnd();
            start(engine, "short", 100, 1).awaitEnd();
            decoding.forEach(subscriber -> subscriber.subscription.cancel());
        }
        // Decoding takes next to no time here, so a piece is the smallest there is.
        assertThat(prefills.stream()
                        .filter(tokens -> tokens > 0 && tokens <= 20)
                        .count())
                .isEqualTo(113);
        assertThat(prefills).contains(100);
        assertThat(prefills.stream().mapToInt(Integer::intValue).sum()).isEqualTo(1000);
    }

    private static RecordingSubscriber start(Engine engine, String id, int promptTokens, int tokens) {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        int[] prompt = new int[promptTokens];
        for (int i = 0; i < promptTokens; i++) {
            prompt[i] = (id.hashCode() + 7 * i) & 63;
        }
        engine.generate(new GenerationRequest(id, prompt, SamplingParams.greedyExactly(tokens)))
                .subscribe(subscriber);
        return subscriber;
    }
}
