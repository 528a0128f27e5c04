package dev.weir.server;

import dev.weir.engine.FinishReason;
import dev.weir.engine.StepOutput;
import dev.weir.tokenizer.IncrementalDetokenizer;
import io.vertx.core.Context;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

/**
 * The tokens of one generation on their way from the engine thread to the client's event loop, where they become text.
 *
 * <p>The engine thread appends to a queue and schedules one drain on the context, however many tokens arrive before it
 * runs. The drain detokenises and hands on whatever text is complete. Demand goes back to the engine only while the
 * client has room, {@value #WINDOW} tokens ahead at most: a client that does not read costs the engine nothing and the
 * server at most that many tokens.
 */
final class TokenStream extends BaseSubscriber<StepOutput> {
    /** Steps that the engine may be ahead of the client. */
    static final int WINDOW = 64;

    /** What comes of the tokens. Called on the context. */
    interface Reader {
        boolean isFull();

        void text(String delta);

        /** The last call, unless the stream failed; {@code tokens} counts the one that ended the text too. */
        void ended(Reply.Ending ending, int tokens);

        /** The last call of a stream that failed. */
        void failed(Throwable cause);
    }

    private final Context context;
    private final Reader reader;

    // Any thread
    private final Queue<StepOutput> queue = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean drainScheduled = new AtomicBoolean();
    private volatile @Nullable Throwable failure;

    // The context's thread
    private final IncrementalDetokenizer detokenizer;
    private final StringBuilder pending = new StringBuilder();
    private int tokens;
    private int owedDemand;
    private boolean hasEnded;

    TokenStream(Context context, IncrementalDetokenizer detokenizer, Reader reader) {
        this.context = context;
        this.detokenizer = detokenizer;
        this.reader = reader;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        subscription.request(WINDOW);
    }

    @Override
    protected void hookOnNext(StepOutput output) {
        queue.add(output);
        scheduleDrain();
    }

    @Override
    protected void hookOnError(Throwable cause) {
        failure = cause;
        scheduleDrain();
    }

    /** Why the engine did not take the request, if it said so while subscribing. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    /** Hands on what waits for room, after the client has read. */
    void resume() {
        if (!hasEnded) {
            flush();
        }
    }

    /** Ends the text here, at the client's wish; what is already generated is still handed on. */
    void finishEarly() {
        if (!hasEnded) {
            drain();
        }
        if (!hasEnded) {
            end(Reply.Ending.CANCELLED);
        }
    }

    /** Ends the generation and forgets the client, who is gone. */
    void abandon() {
        hasEnded = true;
        cancel();
        queue.clear();
    }

    private void scheduleDrain() {
        if (drainScheduled.compareAndSet(false, true)) {
            context.runOnContext(_ -> drain());
        }
    }

    private void drain() {
        drainScheduled.set(false); // before polling: what arrives from now on schedules a drain of its own
        if (hasEnded) {
            queue.clear();
            return;
        }
        StepOutput output;
        while ((output = queue.poll()) != null) {
            owedDemand++;
            Reply.Ending ending = take(output);
            if (ending != null) {
                end(ending);
                return;
            }
        }
        Throwable cause = failure;
        if (cause != null) {
            hasEnded = true;
            handOnText();
            reader.failed(cause);
            return;
        }
        flush();
    }

    /** Turns one output into text; the ending if the text is complete with it. */
    private Reply.@Nullable Ending take(StepOutput output) {
        for (int token : output.tokenIds()) {
            tokens++;
            pending.append(detokenizer.accept(token));
            if (detokenizer.isStopped()) {
                return Reply.Ending.STOP;
            }
        }
        FinishReason reason = output.finishReason();
        if (reason == null) {
            return null;
        }
        return reason == FinishReason.LENGTH ? Reply.Ending.LENGTH : Reply.Ending.STOP;
    }

    private void end(Reply.Ending ending) {
        hasEnded = true;
        cancel(); // a stop string ends the text before the engine knows
        queue.clear();
        pending.append(detokenizer.finish());
        handOnText();
        reader.ended(ending, tokens);
    }

    private void flush() {
        if (reader.isFull()) {
            return;
        }
        handOnText();
        if (owedDemand >= WINDOW / 2) {
            request(owedDemand);
            owedDemand = 0;
        }
    }

    private void handOnText() {
        if (!pending.isEmpty()) {
            String delta = pending.toString();
            pending.setLength(0);
            reader.text(delta);
        }
    }
}
