package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.StepOutput;
import dev.weir.protocol.TokenLogprob;
import dev.weir.tokenizer.IncrementalDetokenizer;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

/** What the engine says while it is asked and what it says later are told apart. */
final class TokenStreamTest {
    private final Vertx vertx = Vertx.vertx();
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

    private TokenStream stream() {
        return new TokenStream(
                vertx.getOrCreateContext(),
                Duration.ZERO,
                new IncrementalDetokenizer(TestModelFolder.tokenizer(), List.of()),
                null,
                new TokenStream.Reader() {
                    @Override
                    public boolean isFull() {
                        return false;
                    }

                    @Override
                    public void text(String delta, List<TokenLogprob> logprobs) {
                        throw new AssertionError(delta);
                    }

                    @Override
                    public void ended(Reply.Ending ending, int tokens, int cachedTokens, double meanLogprob) {
                        throw new AssertionError(ending);
                    }

                    @Override
                    public void failed(Throwable cause) {
                        failed.complete(cause);
                    }
                });
    }
}
