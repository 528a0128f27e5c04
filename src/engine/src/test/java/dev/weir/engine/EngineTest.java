package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EngineTest {
    private static final int CONTEXT = 64;
    private static final EngineConfig CONFIG = new EngineConfig(16, 100_000, 32, 8, 4);

    private static GenerationRequest request(String id, int promptLength, SamplingParams sampling) {
        int[] prompt = new int[promptLength];
        for (int i = 0; i < promptLength; i++) {
            prompt[i] = ((id.hashCode() + i * 7) & 0x7fffffff) % 90;
        }
        return new GenerationRequest(id, prompt, sampling);
    }

    private static SamplingParams sampled(long seed, int maxTokens) {
        return SamplingParams.builder(maxTokens).seed(seed).build();
    }

    private static SamplingParams sampledExactly(long seed, int maxTokens) {
        return SamplingParams.builder(maxTokens).seed(seed).ignoreEos(true).build();
    }

    private static RecordingSubscriber start(Engine engine, GenerationRequest request) {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        engine.generate(request).subscribe(subscriber);
        return subscriber;
    }

    @Test
    void aGenerationIsUsableAsAPlainFlux() {
        GenerationRequest request = request("plain", 20, sampled(3, 12));
        try (Engine engine = Engine.start(new FakeModelRunner(2, CONTEXT), CONFIG, EngineListener.NONE)) {
            List<Integer> tokens = engine.generate(request)
                    .map(output -> output.tokenIds()[0])
                    .collectList()
                    .block();
            assertThat(tokens).isEqualTo(FakeModelRunner.reference(request, CONTEXT));
        }
    }

    @Test
    void aSequenceWritesTheSameTextInACrowdAsAlone() throws Exception {
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            SamplingParams sampling = i % 2 == 0 ? sampled(i, 5 + i) : SamplingParams.greedy(5 + i);
            requests.add(request("crowd-" + i, 1 + (i * 13) % 40, sampling));
        }
        try (Engine engine =
                Engine.start(new FakeModelRunner(4, CONTEXT), CONFIG.withMaxQueuedRequests(100), EngineListener.NONE)) {
            List<RecordingSubscriber> subscribers =
                    requests.stream().map(request -> start(engine, request)).toList();
            for (int i = 0; i < requests.size(); i++) {
                subscribers.get(i).awaitEnd();
                assertThat(subscribers.get(i).tokens()).isEqualTo(FakeModelRunner.reference(requests.get(i), CONTEXT));
            }
        }
    }

    @Test
    void theFinishReasonSaysWhatEndedTheSequence() throws Exception {
        GenerationRequest probe = request("stop", 5, SamplingParams.greedyExactly(20));
        List<Integer> text = FakeModelRunner.reference(probe, CONTEXT);
        int stop = text.get(7);
        SamplingParams stopping = SamplingParams.greedyExactly(20).toBuilder()
                .stopTokenIds(List.of(stop))
                .build();
        try (Engine engine = Engine.start(new FakeModelRunner(2, CONTEXT), CONFIG, EngineListener.NONE)) {
            RecordingSubscriber full = start(engine, probe);
            assertThat(full.awaitEnd()).isEqualTo(FinishReason.LENGTH);
            assertThat(full.tokens()).hasSize(20);
            RecordingSubscriber stopped = start(engine, new GenerationRequest("stop", probe.promptTokens(), stopping));
            assertThat(stopped.awaitEnd()).isEqualTo(FinishReason.STOP);
            assertThat(stopped.tokens()).isEqualTo(text.subList(0, text.indexOf(stop) + 1));
            RecordingSubscriber cut = start(engine, request("cut", 60, SamplingParams.greedyExactly(100)));
            assertThat(cut.awaitEnd()).isEqualTo(FinishReason.LENGTH);
            assertThat(cut.tokens()).hasSize(CONTEXT - 60);
        }
    }

    @Test
    void noStopTokenIsChosenBeforeTheMinimum() throws Exception {
        GenerationRequest probe = request("min", 5, SamplingParams.greedyExactly(20));
        int stop = FakeModelRunner.reference(probe, CONTEXT).get(0);
        SamplingParams atLeast = SamplingParams.greedyExactly(20).toBuilder()
                .minTokens(6)
                .stopTokenIds(List.of(stop))
                .build();
        try (Engine engine = Engine.start(new FakeModelRunner(2, CONTEXT), CONFIG, EngineListener.NONE)) {
            RecordingSubscriber subscriber = start(engine, new GenerationRequest("min", probe.promptTokens(), atLeast));
            subscriber.awaitEnd();
            assertThat(subscriber.tokens().subList(0, 6)).doesNotContain(stop);
        }
    }

    @Test
    void aCancelledSequenceFreesItsSlotBeforeTheNextStep() throws Exception {
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT);
        CompletableFuture<Integer> rowsAfterCancel = new CompletableFuture<>();
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            RecordingSubscriber victim = new RecordingSubscriber();
            AtomicInteger steps = new AtomicInteger();
            CountDownLatch bothAsked = new CountDownLatch(1);
            model.onRun = plan -> {
                int step = steps.incrementAndGet();
                if (step == 1) {
                    await(bothAsked);
                } else if (step == 5) {
                    victim.subscription.cancel();
                } else if (step == 6) {
                    rowsAfterCancel.complete(plan.activeRows());
                }
            };
            RecordingSubscriber other = new RecordingSubscriber(0);
            engine.generate(request("other", 4, SamplingParams.greedyExactly(40)))
                    .subscribe(other);
            engine.generate(request("victim", 4, SamplingParams.greedyExactly(40)))
                    .subscribe(victim);
            other.subscription.request(Long.MAX_VALUE);
            bothAsked.countDown();
            assertThat(rowsAfterCancel.get(20, TimeUnit.SECONDS)).isEqualTo(1);
            other.awaitEnd();
            assertThat(other.tokens()).hasSize(40);
            assertThat(victim.tokens()).hasSizeLessThan(6);
            assertThat(victim.hasEnded()).isFalse();
        }
    }

    @Test
    void aFullQueueRefusesAtOnceAndDisturbsNobody() throws Exception {
        FakeModelRunner model = new FakeModelRunner(1, CONTEXT);
        CountDownLatch gate = new CountDownLatch(1);
        model.onRun = plan -> await(gate);
        try (Engine engine = Engine.start(model, CONFIG.withMaxQueuedRequests(1), EngineListener.NONE)) {
            RecordingSubscriber running = start(engine, request("running", 3, SamplingParams.greedyExactly(5)));
            RecordingSubscriber waiting = start(engine, request("waiting", 3, SamplingParams.greedyExactly(5)));
            RecordingSubscriber refused = start(engine, request("refused", 3, SamplingParams.greedy(5)));
            assertThat(refused.hasEnded()).isTrue();
            assertThatThrownBy(refused::awaitEnd)
                    .cause()
                    .isInstanceOfSatisfying(
                            OverloadedException.class,
                            overloaded -> assertThat(overloaded.retryAfter().toSeconds())
                                    .isBetween(1L, 60L));
            gate.countDown();
            running.awaitEnd();
            waiting.awaitEnd();
            assertThat(running.tokens()).hasSize(5);
            assertThat(waiting.tokens()).hasSize(5);
            assertThat(start(engine, request("later", 3, SamplingParams.greedy(5)))
                            .awaitEnd())
                    .isNotNull();
        }
    }

    @Test
    void aReaderWithoutDemandIsParkedAndResumesExactlyWhereItWas() throws Exception {
        GenerationRequest request = request("slow", 9, sampledExactly(5, 30));
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT);
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            RecordingSubscriber slow = new RecordingSubscriber(4);
            engine.generate(request).subscribe(slow);
            slow.awaitTokens(4);
            RecordingSubscriber other = start(engine, request("other", 3, SamplingParams.greedyExactly(20)));
            other.awaitEnd();
            assertThat(slow.tokens()).hasSize(4);
            slow.subscription.request(Long.MAX_VALUE);
            slow.awaitEnd();
            assertThat(slow.tokens()).isEqualTo(FakeModelRunner.reference(request, CONTEXT));
        }
    }

    @Test
    void parkedSequencesGiveUpTheirSlotsToWaitingOnesAndLoseNothing() throws Exception {
        List<GenerationRequest> requests = new ArrayList<>();
        List<RecordingSubscriber> parked = new ArrayList<>();
        try (Engine engine = Engine.start(new FakeModelRunner(2, CONTEXT), CONFIG, EngineListener.NONE)) {
            for (int i = 0; i < 5; i++) {
                GenerationRequest request = request("parked-" + i, 11 + i, sampledExactly(i, 25));
                RecordingSubscriber subscriber = new RecordingSubscriber(3);
                engine.generate(request).subscribe(subscriber);
                subscriber.awaitTokens(3);
                requests.add(request);
                parked.add(subscriber);
            }
            for (int i = 0; i < 5; i++) {
                parked.get(i).subscription.request(Long.MAX_VALUE);
            }
            for (int i = 0; i < 5; i++) {
                parked.get(i).awaitEnd();
                assertThat(parked.get(i).tokens()).isEqualTo(FakeModelRunner.reference(requests.get(i), CONTEXT));
            }
        }
    }

    @Test
    void aFailedStepEndsOnlyItsOwnSequencesAndIsRemembered() throws Exception {
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT);
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            RecordingSubscriber bystander = new RecordingSubscriber(3);
            GenerationRequest request = request("bystander", 5, sampledExactly(1, 10));
            engine.generate(request).subscribe(bystander);
            bystander.awaitTokens(3);
            model.onRun = plan -> {
                model.onRun = next -> {};
                throw new IllegalStateException("the kernel failed");
            };
            RecordingSubscriber victim = start(engine, request("victim", 5, SamplingParams.greedy(10)));
            assertThatThrownBy(victim::awaitEnd).cause().isInstanceOf(EngineFailedException.class);
            assertThat(engine.stats().isHealthy()).isFalse();
            bystander.subscription.request(Long.MAX_VALUE);
            bystander.awaitEnd();
            assertThat(bystander.tokens()).isEqualTo(FakeModelRunner.reference(request, CONTEXT));
        }
    }

    @Test
    void aSubscriberThatThrowsEndsItsOwnStreamOnly() throws Exception {
        try (Engine engine = Engine.start(new FakeModelRunner(2, CONTEXT), CONFIG, EngineListener.NONE)) {
            RecordingSubscriber other = start(engine, request("other", 5, SamplingParams.greedyExactly(30)));
            engine.generate(request("broken", 5, SamplingParams.greedy(30)))
                    .subscribe(
                            output -> {
                                throw new IllegalStateException("broken subscriber");
                            },
                            error -> {});
            other.awaitEnd();
            assertThat(other.tokens()).hasSize(30);
        }
    }

    @Test
    void requestsThatCannotBeServedAreRefusedWithTheReason() {
        try (Engine engine = Engine.start(new FakeModelRunner(1, CONTEXT), CONFIG, EngineListener.NONE)) {
            assertThatThrownBy(() -> start(engine, request("long", CONTEXT, SamplingParams.greedy(1)))
                            .awaitEnd())
                    .cause()
                    .isInstanceOf(ContextLengthExceededException.class)
                    .hasMessageContaining("64 tokens");
            GenerationRequest foreign = new GenerationRequest("foreign", new int[] {3, 97}, SamplingParams.greedy(1));
            assertThatThrownBy(() -> start(engine, foreign).awaitEnd()).cause().hasMessageContaining("97");
        }
        assertThatThrownBy(() -> SamplingParams.builder(1).temperature(3).build())
                .hasMessageContaining("temperature is 3.0");
    }

    @Test
    void closingFailsWhatRunsAndReleasesTheModel() throws Exception {
        FakeModelRunner model = new FakeModelRunner(1, CONTEXT);
        Engine engine = Engine.start(model, CONFIG, EngineListener.NONE);
        RecordingSubscriber parked = new RecordingSubscriber(2);
        engine.generate(request("parked", 3, SamplingParams.greedyExactly(20))).subscribe(parked);
        parked.awaitTokens(2);
        engine.close();
        assertThat(model.isClosed).isTrue();
        assertThatThrownBy(parked::awaitEnd).cause().isInstanceOf(EngineFailedException.class);
        RecordingSubscriber late = start(engine, request("late", 3, SamplingParams.greedy(2)));
        assertThatThrownBy(late::awaitEnd).cause().isInstanceOf(EngineFailedException.class);
    }

    private static void await(CountDownLatch gate) {
        try {
            if (!gate.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("the test never opened the gate");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
