package dev.weir.loadtest;

import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One user of the server: sends a request, waits for its answer, and is then free for the next. Owner: the thread of
 * the run.
 */
final class VirtualUser implements AnswerListener {

    private final GenerationClient client;
    private final LatencyRecorder recorder;
    private final BiConsumer<RequestTrace, Outcome> atEnd;

    // Of the request under way.
    private final RequestTrace trace = new RequestTrace();
    private boolean hasIntendedStart;
    private @Nullable Consumer<Outcome> whenFree;

    /** @param atEnd told of each request that ended, before the user takes another; the trace is then reused */
    VirtualUser(GenerationClient client, LatencyRecorder recorder, BiConsumer<RequestTrace, Outcome> atEnd) {
        this.client = client;
        this.recorder = recorder;
        this.atEnd = atEnd;
    }

    /** Sends a request whose latency counts from when it leaves, and calls back when this user is free again. */
    void send(long index, String body, long nowNanos, Consumer<Outcome> callback) {
        begin(index, nowNanos, false, callback);
        client.generate(body, this);
    }

    /**
     * Sends a request that should have left at {@code intendedNanos}. Its latency counts from there, whatever kept it
     * from leaving on time, so that a stall of the server or of this client shows in every request it delayed.
     */
    void sendIntended(long index, String body, long intendedNanos, Consumer<Outcome> callback) {
        begin(index, intendedNanos, true, callback);
        client.generate(body, this);
    }

    private void begin(long index, long startNanos, boolean isIntended, Consumer<Outcome> callback) {
        if (whenFree != null) {
            throw new IllegalStateException("request " + trace.index + " of this user is still under way");
        }
        whenFree = callback;
        hasIntendedStart = isIntended;
        trace.begin(index, startNanos);
    }

    boolean isBusy() {
        return whenFree != null;
    }

    /** When the request under way started; meaningless while the user is free. */
    long startNanos() {
        return trace.startNanos;
    }

    /** Gives the request under way up with this outcome, if there is one, and drops the connection. */
    void giveUp(long nowNanos, Outcome outcome) {
        client.abort();
        if (isBusy()) {
            ended(nowNanos, outcome);
        }
    }

    @Override
    public void sent(long nowNanos, long connectNanos) {
        trace.sentNanos = nowNanos;
        trace.connectNanos = connectNanos;
        if (!hasIntendedStart) {
            trace.startNanos = nowNanos;
        }
        recorder.connected(trace);
    }

    @Override
    public void delta(long nowNanos) {
        recorder.delta(trace, nowNanos);
    }

    @Override
    public void usage(int inputTokens, int outputTokens) {
        trace.inputTokens = inputTokens;
        trace.outputTokens = outputTokens;
    }

    @Override
    public void ended(long nowNanos, Outcome outcome) {
        Consumer<Outcome> callback = whenFree;
        if (callback == null) {
            throw new IllegalStateException("request " + trace.index + " ended twice");
        }
        trace.endNanos = nowNanos;
        trace.outcome = outcome;
        recorder.finished(trace, outcome);
        atEnd.accept(trace, outcome);
        whenFree = null;
        callback.accept(outcome);
    }

    @Override
    public void strayed(long nowNanos, Outcome.Failed violation) {
        recorder.strayed(nowNanos, violation);
    }
}
