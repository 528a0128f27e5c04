package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.FinishReason;
import dev.weir.engine.StepOutput;
import dev.weir.protocol.TokenLogprob;
import dev.weir.tokenizer.IncrementalDetokenizer;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

/** Refusals and failures are told apart, and tokens that come fast gather. */
final class TokenStreamTest {
    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final AtomicLong nanoTime = new AtomicLong();
    private final BlockingQueue<String> texts = new LinkedBlockingQueue<>();
    private final CompletableFuture<Reply.Ending> ended = new CompletableFuture<>();
    private final CompletableFuture<Throwable> failed = new CompletableFuture<>();

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void refusalIsWhatIsSaidOnTheThreadThatSubscribes() throws Exception {
        IllegalStateException said = new IllegalStateException("full");
        TokenStream stream = stream();
        Flux.<StepOutput>error(said).subscribe(stream);
        assertThat(stream.refusal()).isSameAs(said);
        assertThat(failed.get(20, TimeUnit.SECONDS)).isSameAs(said);
    }

    @Test
    void failureOfTheEngineThreadIsNoRefusalHoweverEarlyItComes() throws Exception {
        IllegalStateException said = new IllegalStateException("broken");
        TokenStream stream = stream();
        Thread engine = new Thread(() -> Flux.<StepOutput>error(said).subscribe(stream));
        engine.start();
        engine.join();
        assertThat(stream.refusal()).isNull();
        assertThat(failed.get(20, TimeUnit.SECONDS)).isSameAs(said);
    }

    @Test
    void tokensThatComeSoonerThanHalfTheIntervalGatherUntilTheLastOneOrHalfAWindow() {
        Sinks.Many<StepOutput> engine = Sinks.many().unicast().onBackpressureBuffer();
        engine.asFlux().subscribe(stream(Duration.ofHours(1)));
        assertThat(heardAfter(engine, 1)).as("the first token").hasSize(1);
        assertThat(heardAfter(engine, TokenStream.WINDOW / 2 - 1))
                .as("less than half a window")
                .hasSize(1);
        assertThat(heardAfter(engine, 1)).as("half a window").hasSize(2);
        assertThat(heardAfter(engine, 2)).as("two more").hasSize(2);
        engine.tryEmitNext(token(FinishReason.LENGTH)).orThrow();
        assertThat(heard()).hasSize(3);
        assertThat(String.join("", heard())).as("all of it").hasSize(TokenStream.WINDOW / 2 + 4);
        assertThat(ended).isCompletedWithValue(Reply.Ending.LENGTH);
    }

    @Test
    void tokensThatComeLaterThanHalfTheIntervalGoOnAtOnce() {
        Sinks.Many<StepOutput> engine = Sinks.many().unicast().onBackpressureBuffer();
        engine.asFlux().subscribe(stream(Duration.ofHours(1)));
        for (int i = 1; i <= 3; i++) {
            assertThat(heardAfter(engine, 1)).hasSize(i);
            nanoTime.addAndGet(Duration.ofMinutes(31).toNanos());
        }
        assertThat(heardAfter(engine, 1)).hasSize(4);
        nanoTime.addAndGet(Duration.ofMinutes(29).toNanos());
        assertThat(heardAfter(engine, 1)).as("sooner").hasSize(4);
    }

    @Test
    void gatheredTokensGoOnWhenTheIntervalIsOver() throws Exception {
        Sinks.Many<StepOutput> engine = Sinks.many().unicast().onBackpressureBuffer();
        engine.asFlux().subscribe(stream(Duration.ofMillis(50)));
        for (int i = 0; i < 3; i++) {
            engine.tryEmitNext(token(null)).orThrow();
        }
        String text = "";
        while (text.length() < 3) {
            text += texts.poll(20, TimeUnit.SECONDS);
        }
        assertThat(text).hasSize(3);
    }

    /** All deltas so far, after so many tokens more. */
    private List<String> heardAfter(Sinks.Many<StepOutput> engine, int tokens) {
        for (int i = 0; i < tokens; i++) {
            engine.tryEmitNext(token(null)).orThrow();
        }
        return heard();
    }

    /** All deltas so far: what is due on the context comes first. */
    private List<String> heard() {
        CompletableFuture<Void> after = new CompletableFuture<>();
        context.runOnContext(_ -> after.complete(null));
        after.orTimeout(20, TimeUnit.SECONDS).join();
        return List.copyOf(texts);
    }

    private static StepOutput token(@Nullable FinishReason reason) {
        return new StepOutput(TestModelFolder.tokenizer().encode("a"), reason, 0, List.of());
    }

    private TokenStream stream() {
        return stream(Duration.ZERO);
    }

    private TokenStream stream(Duration interval) {
        return new TokenStream(
                context,
                interval,
                nanoTime::get,
                new IncrementalDetokenizer(TestModelFolder.tokenizer(), List.of()),
                null,
                new TokenStream.Reader() {
                    @Override
                    public boolean isFull() {
                        return false;
                    }

                    @Override
                    public void text(String delta, List<TokenLogprob> logprobs) {
                        texts.add(delta);
                    }

                    @Override
                    public void ended(Reply.Ending ending, int tokens, int cachedTokens, double meanLogprob) {
                        ended.complete(ending);
                    }

                    @Override
                    public void failed(Throwable cause) {
                        failed.complete(cause);
                    }
                });
    }
}
