package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests whose answers are of use for some time only. */
@Timeout(60)
class DeadlineTest {
    private static final int CONTEXT = 512;
    private static final EngineConfig CONFIG = new EngineConfig(1_000, 100_000, 64, 16, 3);

    private static GenerationRequest request(String id, int tokens, Duration timeLimit) {
        SamplingParams sampling =
                SamplingParams.builder(tokens).temperature(0).minTokens(tokens).build();
        return new GenerationRequest(id, new int[] {1, 2, 3}, sampling).within(timeLimit);
    }

    private static RecordingSubscriber start(Engine engine, GenerationRequest request) {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        engine.generate(request).subscribe(subscriber);
        return subscriber;
    }

    /** Busy, as a step that computes is. */
    private static void spin(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    private static void assertTooLate(RecordingSubscriber subscriber) {
        assertThatThrownBy(subscriber::awaitEnd)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(DeadlineExceededException.class)
                .hasMessageContaining("time limit");
    }

    @Test
    void aWaitingRequestWhoseTimeIsOverIsNeverComputed() throws Exception {
        FakeModelRunner model = new FakeModelRunner(1, CONTEXT);
        CompletableFuture<Void> open = new CompletableFuture<>();
        CompletableFuture<Void> running = new CompletableFuture<>();
        model.onRun = _ -> {
            running.complete(null);
            open.join();
        };
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            RecordingSubscriber first = start(engine, request("first", 20, null));
            running.join();
            RecordingSubscriber late = start(engine, request("late", 20, Duration.ofMillis(2)));
            spin(Duration.ofMillis(3));
            open.complete(null);
            assertTooLate(late);
            first.awaitEnd();
            assertThat(late.tokens()).isEmpty();
            assertThat(model.computedTokens).isEqualTo(3 + 19);
            assertThat(engine.stats().isHealthy()).isTrue();
        }
    }

    @Test
    void anAnswerThatCannotBeCompleteInTimeIsDroppedAsSoonAsOneStepShowsIt() throws Exception {
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT);
        model.onRun = _ -> spin(Duration.ofMillis(2));
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            RecordingSubscriber late = start(engine, request("late", 500, Duration.ofMillis(600)));
            assertTooLate(late);
            assertThat(late.tokens()).hasSize(1);
        }
    }

    @Test
    void aRequestIsRefusedAtOnceIfThoseBeforeItLeaveNoTimeForIt() throws Exception {
        FakeModelRunner model = new FakeModelRunner(1, CONTEXT);
        model.onRun = _ -> spin(Duration.ofMillis(10));
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            List<RecordingSubscriber> before = new ArrayList<>();
            for (int i = 0; i < 600; i++) { // ten milliseconds each
                before.add(start(engine, request("before-" + i, 1, null)));
            }
            before.get(10).awaitEnd();
            RecordingSubscriber late = start(engine, request("late", 1, Duration.ofSeconds(2)));
            RecordingSubscriber other =
                    start(engine, request("other", 1, Duration.ofSeconds(2)).of("other", 0));
            assertTooLate(late);
            assertThat(before.get(120).hasEnded()).isFalse();
            other.awaitEnd(); // its tenant has nobody before it
            before.forEach(subscriber -> subscriber.subscription.cancel());
        }
    }

    @Test
    void aParkedReaderIsToldWhenItsTimeIsOverThoughTheEngineHasNothingToDo() throws Exception {
        try (Engine engine = Engine.start(new FakeModelRunner(1, CONTEXT), CONFIG, EngineListener.NONE)) {
            RecordingSubscriber parked = new RecordingSubscriber(2);
            engine.generate(request("parked", 20, Duration.ofMillis(200))).subscribe(parked);
            assertTooLate(parked);
            assertThat(parked.tokens()).hasSize(2);
            assertThat(engine.stats().running()).isZero();
        }
    }

    @Test
    void anAnswerInTimeIsTheOneWithoutALimit() throws Exception {
        try (Engine engine = Engine.start(new FakeModelRunner(1, CONTEXT), CONFIG, EngineListener.NONE)) {
            RecordingSubscriber with = start(engine, request("with", 200, Duration.ofDays(1)));
            RecordingSubscriber without = start(engine, request("without", 200, null));
            with.awaitEnd();
            without.awaitEnd();
            assertThat(with.tokens()).hasSize(200).isEqualTo(without.tokens());
        }
    }

    @Test
    void aTimeLimitIsAboveNothingAndAtMostAYear() {
        for (Duration limit : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofDays(366))) {
            assertThatThrownBy(() -> request("r", 1, limit)).hasMessageContaining("" + limit);
        }
    }
}
