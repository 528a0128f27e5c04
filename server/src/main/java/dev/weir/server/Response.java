package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseRequest;
import io.vertx.core.Context;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A response of the Responses API: a turn, the log of its events, and whoever reads them. It outlives the connection that asked
 * for it. Owned by the context on which it was made; methods say if any thread may call them.
 *
 * <p>While nobody reads, it goes on until its log is full, and for a time of grace only: then it is cancelled.
 */
final class Response implements ResponseReply.Listener {
    /** No timer of Vert.x has this number. */
    private static final long NO_TIMER = -1;

    private final Services services;
    private final Context context;
    private final Thread thread = Thread.currentThread();
    private final Caller caller;
    private final String id = Ids.next("resp_");
    private final long graceMillis;
    private final ResponseLog log;
    private final Turn turn;
    private @Nullable LogReader creator;
    private long graceTimer = NO_TIMER;

    // Any thread
    private volatile @Nullable ResponseObject state;
    private volatile boolean hasEnded;

    /**
     * A response that has not begun.
     *
     * @param context on whose thread this is called
     * @param graceMillis how long it goes on while nobody reads it
     */
    Response(Services services, Context context, Caller caller, ResponseRequest request, long graceMillis) {
        this.services = services;
        this.context = context;
        this.caller = caller;
        this.graceMillis = graceMillis;
        log = services.responses().newLog();
        ResponseReply reply =
                new ResponseReply(new ResponseShape(id, services.model().name(), request), log, this);
        turn = new Turn(services, caller, context, Ask.of(id, request), reply);
    }

    /** Any thread. */
    String id() {
        return id;
    }

    /** Whether it is a tenant's own. Any thread. */
    boolean isOf(Caller asking) {
        return caller.tenant().equals(asking.tenant());
    }

    /** Whether the last event is there or about to be. Any thread. */
    boolean hasEnded() {
        return hasEnded;
    }

    /** The response as it stands; only once it was accepted. Any thread. */
    ResponseObject state() {
        return Objects.requireNonNull(state, "nobody knows the name of a response before it was accepted");
    }

    /** Begins, with its first reader, which belongs to the same context. */
    void start(LogReader reader) {
        creator = reader;
        services.responses().add(this);
        join(reader, -1);
        turn.start();
    }

    /** Lets a reader follow from the event after a number on, or tells it why it cannot. Any thread. */
    void resume(LogReader reader, int number) {
        onContext(() -> join(reader, number));
    }

    /** Lets a reader wait for the end. Any thread. */
    void awaitEnd(LogReader reader) {
        onContext(() -> join(reader, log.beforeEnd()));
    }

    /** Ends the text here, at the client's wish; nothing if it has ended. Any thread. */
    void cancel() {
        onContext(() -> {
            if (!hasEnded) {
                turn.cancel();
            }
        });
    }

    /** Ends the generation without another event: the server stops. Any thread. */
    void abandon() {
        onContext(turn::abandon);
    }

    /** A reader has taken events. Any thread. */
    void taken() {
        if (log.isBlocked() && !hasEnded) {
            context.runOnContext(_ -> {
                if (!hasEnded && !log.isFull()) {
                    turn.resume();
                }
            });
        }
    }

    /** A reader is gone. Any thread. */
    void left(LogReader reader) {
        onContext(() -> {
            log.remove(reader);
            if (!log.hasReaders() && !hasEnded) {
                outliveItsReaders();
            }
        });
    }

    @Override
    public void begun(ResponseObject response) {
        state = response;
    }

    @Override
    public void ended(ResponseObject response) {
        state = response;
        hasEnded = true;
        cancelTimer();
        context.runOnContext(_ -> retire()); // after the last event
    }

    @Override
    public void refused(ApiError error, long retryAfterSeconds) {
        hasEnded = true;
        cancelTimer();
        services.responses().remove(this);
        Objects.requireNonNull(creator).refuse(error, retryAfterSeconds);
    }

    private void retire() {
        services.responses().ended(this, log.bytes());
        context.owner()
                .setTimer(
                        Math.max(1, services.limits().resume().kept().toMillis()),
                        _ -> services.responses().remove(this));
    }

    private void join(LogReader reader, int number) {
        ResponseLog.Entry from = log.after(number);
        if (from == null) {
            ApiError error = log.noSuchPlace(id, number);
            reader.onContext(() -> reader.refuse(error, 0));
            return;
        }
        cancelTimer();
        reader.placeAfter(number);
        log.add(reader);
        reader.onContext(() -> reader.follow(this, from));
    }

    private void outliveItsReaders() {
        if (graceMillis == 0) {
            turn.cancel();
        } else if (graceTimer == NO_TIMER) {
            graceTimer = context.owner().setTimer(graceMillis, _ -> {
                graceTimer = NO_TIMER;
                turn.cancel();
            });
        }
    }

    private void cancelTimer() {
        if (graceTimer != NO_TIMER) {
            context.owner().cancelTimer(graceTimer);
            graceTimer = NO_TIMER;
        }
    }

    private void onContext(Runnable action) {
        if (Thread.currentThread() == thread) {
            action.run();
        } else {
            context.runOnContext(_ -> action.run());
        }
    }
}
