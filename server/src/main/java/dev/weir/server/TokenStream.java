package dev.weir.server;

import dev.weir.engine.FinishReason;
import dev.weir.engine.GenerationSubscription;
import dev.weir.engine.StepOutput;
import dev.weir.protocol.TokenLogprob;
import dev.weir.tokenizer.IncrementalDetokenizer;
import io.vertx.core.Context;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.util.concurrent.Queues;

/**
 * The tokens of one generation on their way from the engine thread to the client's event loop, where they become text.
 *
 * <p>The engine thread appends to a queue and schedules one drain on the context, however many tokens arrive before it
 * runs. The drain detokenises and hands on whatever text is complete. Tokens that come sooner than half an interval
 * after it gather until the whole is over, unless the last one comes or half the window is used up: a frame costs client
 * and server far more than a token does. A stream that is slower never sets a timer, and its tokens come as evenly as they are made. Demand goes back to the
 * engine only while the client has room, {@value #WINDOW} tokens ahead at most: a client that does not read costs the
 * engine nothing and the server at most that many tokens.
 */
final class TokenStream extends BaseSubscriber<StepOutput> {
    /** Steps that the engine may be ahead of the client. */
    static final int WINDOW = 64;

    /** What comes of the tokens. Called on the context. */
    interface Reader {
        boolean isFull();

        /** More text, or the log-probabilities of tokens that have none. */
        void text(String delta, List<TokenLogprob> logprobs);

        /**
         * The last call, unless the stream failed.
         *
         * @param tokens tokens generated, the one that ended the text too
         * @param cachedTokens tokens of the prompt that were found in the prefix cache
         * @param meanLogprob log-probability of a token on average, if log-probabilities are asked for
         */
        void ended(Reply.Ending ending, int tokens, int cachedTokens, double meanLogprob);

        /** The last call of a stream that failed. */
        void failed(Throwable cause);
    }

    /** No timer of Vert.x has this number. */
    private static final long NO_TIMER = -1;

    private enum State {
        /** The next token schedules a look on the context. */
        IDLE,
        /** A look is due on the context. */
        SCHEDULED,
        /** The last drain was not long ago: tokens gather until a timer drains them. */
        RESTING
    }

    private final Context context;
    private final LoopTask look;
    private final long intervalNanos;
    private final LongSupplier clock;
    private final Reader reader;

    // Any thread
    /** From the engine thread to the context's. Demand keeps it from overflowing. */
    private final Queue<StepOutput> queue = Queues.<StepOutput>get(WINDOW).get();

    private final AtomicInteger queued = new AtomicInteger();
    private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);
    private volatile boolean isUrgent;
    private volatile @Nullable Throwable failure;

    // The context's thread
    private final Thread subscriber = Thread.currentThread();
    private @Nullable Throwable refusal;
    private final IncrementalDetokenizer detokenizer;
    private final @Nullable PendingLogprobs logprobs;
    private final StringBuilder pending = new StringBuilder();
    private int tokens;
    private double logprobSum;
    private int cachedTokens;
    private int owedDemand;
    private long drained;
    private long timer = NO_TIMER;
    private boolean hasEnded;

    /**
     * A stream that has not begun.
     *
     * @param interval in which tokens gather that come sooner than half of it; 0 hands on each token as it comes
     * @param clock the time in nanoseconds
     * @param logprobs where log-probabilities wait for their text; null if none are asked for
     */
    TokenStream(
            Context context,
            Duration interval,
            LongSupplier clock,
            IncrementalDetokenizer detokenizer,
            @Nullable PendingLogprobs logprobs,
            Reader reader) {
        this.context = context;
        look = new LoopTask(context, this::look);
        intervalNanos = interval.toNanos();
        this.clock = clock;
        drained = clock.getAsLong() - intervalNanos;
        this.detokenizer = detokenizer;
        this.logprobs = logprobs;
        this.reader = reader;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        subscription.request(WINDOW);
    }

    @Override
    protected void hookOnNext(StepOutput output) {
        if (!queue.offer(output)) {
            throw new IllegalStateException("more outputs came than were asked for");
        }
        boolean isHalfWindow = queued.incrementAndGet() >= WINDOW / 2;
        schedule(isHalfWindow || output.finishReason() != null);
    }

    @Override
    protected void hookOnError(Throwable cause) {
        if (Thread.currentThread() == subscriber) {
            refusal = cause;
        }
        failure = cause;
        schedule(true);
    }

    /** Why the engine did not take the request, which it says while subscribing; what its own thread says is no refusal. */
    @Nullable
    Throwable refusal() {
        return refusal;
    }

    /** Tokens taken so far. On the context. */
    int tokens() {
        return tokens;
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

    /** Says whether the client is there. */
    void away(boolean isAway) {
        if (!hasEnded && upstream() instanceof GenerationSubscription generation) { // else it was refused
            generation.away(isAway);
        }
    }

    /** Ends the generation and forgets the client, who is gone. */
    void abandon() {
        hasEnded = true;
        cancelTimer();
        cancel();
        queue.clear();
    }

    /** On any thread. */
    private void schedule(boolean urgent) {
        if (urgent) {
            isUrgent = true;
        }
        if (state.compareAndSet(State.IDLE, State.SCHEDULED)
                || (urgent && state.compareAndSet(State.RESTING, State.SCHEDULED))) {
            look.ask();
        }
    }

    /** Drains what has come, or sees that this happens when the interval is over. */
    private void look() {
        long left = drained + intervalNanos - clock.getAsLong();
        if (left > intervalNanos / 2 && !isUrgent && !hasEnded) {
            timer = context.owner().setTimer(Math.ceilDiv(left, 1_000_000), _ -> rested());
            state.set(State.RESTING);
            if (!isUrgent || !state.compareAndSet(State.RESTING, State.SCHEDULED)) {
                return; // what becomes urgent from now on finds the state
            }
        }
        cancelTimer();
        isUrgent = false;
        state.set(State.IDLE); // what comes from now on is drained too, or schedules a look
        drain();
    }

    private void rested() {
        timer = NO_TIMER;
        if (state.compareAndSet(State.RESTING, State.IDLE)) { // else the look that is due will do
            drain();
        }
    }

    private void cancelTimer() {
        if (timer != NO_TIMER) {
            context.owner().cancelTimer(timer);
            timer = NO_TIMER;
        }
    }

    private void drain() {
        if (hasEnded) {
            queue.clear();
            return;
        }
        drained = clock.getAsLong();
        StepOutput output;
        while ((output = queue.poll()) != null) {
            queued.decrementAndGet();
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
            cancelTimer();
            handOnText(false);
            reader.failed(cause);
            return;
        }
        flush();
    }

    /** Turns one output into text; the ending if the text is complete with it. */
    private Reply.@Nullable Ending take(StepOutput output) {
        cachedTokens += output.cachedTokens();
        int[] ids = output.tokenIds();
        for (int i = 0; i < ids.length; i++) {
            int token = ids[i];
            tokens++;
            if (!output.logprobs().isEmpty()) {
                logprobSum += output.logprobs().get(i).logprob();
            }
            if (logprobs != null) {
                logprobs.add(token, output.logprobs().get(i), detokenizer.decodedLength());
            }
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
        cancelTimer();
        cancel(); // a stop string ends the text before the engine knows
        queue.clear();
        pending.append(detokenizer.finish());
        if (logprobs != null && ending == Reply.Ending.STOP && !detokenizer.isStopped()) {
            logprobs.dropSilentEnd(detokenizer.decodedLength());
        }
        handOnText(!detokenizer.isStopped());
        reader.ended(ending, tokens, cachedTokens, logprobSum / Math.max(1, tokens));
    }

    private void flush() {
        if (reader.isFull()) {
            return;
        }
        handOnText(false);
        if (owedDemand >= WINDOW / 2) {
            request(owedDemand);
            owedDemand = 0;
        }
    }

    /** Hands on what is complete; {@code isLast} if no text will follow. */
    private void handOnText(boolean isLast) {
        if (pending.isEmpty() && !(isLast && logprobs != null)) {
            return;
        }
        String delta = pending.toString();
        pending.setLength(0);
        List<TokenLogprob> told = logprobs == null ? List.of() : logprobs.release(delta, isLast);
        if (!delta.isEmpty() || !told.isEmpty()) {
            reader.text(delta, told);
        }
    }
}
