package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ConversationItem;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.ResponseStatus;
import io.vertx.core.Context;
import io.vertx.core.Future;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A response of the Responses API: a turn, the log of its events, and whoever reads them. It outlives the connection that asked
 * for it. Owned by the context on which it was made; methods say if any thread may call them.
 *
 * <p>While nobody reads, others go before it, and it goes on until its log is full and for a time of grace only: then it is
 * cancelled.
 */
final class Response implements ResponseReply.Listener, EventSource {
    /** No timer of Vert.x has this number. */
    private static final long NO_TIMER = -1;

    private final Services services;
    private final Context context;
    private final Thread thread = Thread.currentThread();
    private final Caller caller;
    private final ResponseRequest request;
    private final Keeper keeper;
    private final String id = Ids.next("resp_");
    private final long graceMillis;
    private final ResponseLog log;
    private @Nullable LogReader creator;
    private @Nullable Turn turn;
    private boolean isCancelled;

    /** Whether its conversation is its own until its end. */
    private boolean hasConversation;

    private long graceTimer = NO_TIMER;

    // Any thread
    private volatile @Nullable ResponseObject state;
    private volatile boolean hasEnded;
    private volatile boolean isDeleted;
    private volatile List<ChatMessage> before = List.of();

    /**
     * A response that has not begun.
     *
     * @param context on whose thread this is called
     * @param keeper what the connection keeps of earlier responses
     * @param graceMillis how long it goes on while nobody reads it
     */
    Response(
            Services services,
            Context context,
            Caller caller,
            ResponseRequest request,
            Keeper keeper,
            long graceMillis) {
        this.services = services;
        this.context = context;
        this.caller = caller;
        this.graceMillis = graceMillis;
        log = services.responses().newLog();
        this.request = request;
        this.keeper = keeper;
    }

    /** Any thread. */
    @Override
    public String id() {
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

    /** Whether it can be asked for by its name. Any thread. */
    boolean isStored() {
        return request.store() && !isDeleted;
    }

    /** What there is to keep of it; only once it was accepted. Any thread. */
    StoredResponse stored() {
        return stored(state());
    }

    private StoredResponse stored(ResponseObject response) {
        return new StoredResponse(response, caller.tenant(), before, request.input());
    }

    /** Begins, with its first reader, which belongs to the same context. */
    void start(LogReader reader) {
        creator = reader;
        services.responses().add(this);
        join(reader, -1);
        String conversationId = request.conversation();
        String previousId = request.previousResponseId();
        if (conversationId != null) {
            services.conversations()
                    .take(caller.tenant(), conversationId)
                    .onSuccess(taken -> {
                        hasConversation = true;
                        begin(taken.messages());
                    })
                    .onFailure(cause -> refused(Faults.ofStore(cause), 0));
        } else if (previousId != null) {
            goOnFrom(previousId);
        } else {
            begin(List.of());
        }
    }

    private void goOnFrom(String previousId) {
        keeper.find(previousId)
                .map(kept -> Future.succeededFuture(Optional.of(kept)))
                .orElseGet(() -> services.responses().store().get(caller.tenant(), previousId))
                .onSuccess(found -> found.ifPresentOrElse(
                        previous -> begin(previous.conversation()), () -> refused(noPrevious(previousId), 0)))
                .onFailure(cause -> refused(Faults.ofStore(cause), 0));
    }

    private void begin(List<ChatMessage> conversation) {
        before = conversation;
        ResponseReply reply =
                new ResponseReply(new ResponseShape(id, services.model().name(), request), log, this);
        Turn begun = new Turn(services, caller, context, Ask.of(id, request, conversation), reply);
        turn = begun;
        if (isCancelled) {
            begun.cancel();
        }
        begun.away(!log.hasReaders());
        begun.start();
    }

    private ApiError noPrevious(String previousId) {
        Response running = services.responses().find(caller, previousId);
        String reason = running != null && !running.hasEnded()
                ? "has not ended yet; wait for its end"
                : "not found: it was never begun, was not stored, or is no longer kept; send the whole conversation";
        return ApiError.invalid(
                "previous_response_not_found",
                "previous_response_id",
                "Previous response with id '" + previousId + "' " + reason + ".");
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
            isCancelled = true;
            if (!hasEnded && turn != null) {
                turn.cancel();
            }
        });
    }

    /** Ends the generation without another event: the server stops. Any thread. */
    void abandon() {
        onContext(() -> {
            if (turn != null) {
                turn.abandon();
            }
        });
    }

    /** Ends it, if it has not ended, and forgets it. Any thread. */
    void delete() {
        isDeleted = true;
        services.responses().remove(this);
        cancel();
    }

    @Override
    public void taken() {
        if (log.isBlocked() && !hasEnded) {
            context.runOnContext(_ -> {
                if (!hasEnded && !log.isFull() && turn != null) {
                    turn.resume();
                }
            });
        }
    }

    @Override
    public void left(LogReader reader) {
        onContext(() -> {
            log.remove(reader);
            if (!log.hasReaders() && !hasEnded) {
                outliveItsReaders();
            }
        });
    }

    @Override
    public void begun(ResponseObject response) {
        creator = null;
        state = response;
    }

    /** Adds what was said to its conversation, and fails if that cannot be done. */
    @Override
    public Future<ResponseObject> ending(ResponseObject response) {
        boolean isSaid = response.status() != ResponseStatus.FAILED && !isDeleted;
        return leaveConversation(isSaid ? stored(response).items() : List.of())
                .map(response)
                .otherwise(cause -> {
                    ApiError error = Faults.ofStore(cause);
                    return response.failed(ApiError.unavailable(
                            String.valueOf(error.code()),
                            "the answer could not be added to the conversation " + request.conversation() + ": "
                                    + error.message()));
                });
    }

    private Future<?> leaveConversation(List<ConversationItem> said) {
        String conversationId = request.conversation();
        if (!hasConversation || conversationId == null) {
            return Future.succeededFuture();
        }
        hasConversation = false;
        return services.conversations().giveBack(caller.tenant(), conversationId, said);
    }

    @Override
    public Future<?> ended(ResponseObject response, String lastEvent) {
        state = response;
        hasEnded = true;
        cancelTimer();
        StoredResponse stored = stored();
        keeper.keep(stored);
        Future<?> kept = isStored()
                ? services.responses().store().put(stored, log.endingWith(lastEvent))
                : Future.succeededFuture();
        return kept.onComplete(_ -> context.runOnContext(_ -> retire())); // after the last event
    }

    @Override
    public void refused(ApiError error, long retryAfterSeconds) {
        hasEnded = true;
        cancelTimer();
        leaveConversation(List.of());
        services.responses().remove(this);
        services.responses().settled(this);
        Objects.requireNonNull(creator).refuse(error, retryAfterSeconds);
    }

    private void retire() {
        services.responses().settled(this);
        turn = null; // which holds the prompt and the text once more
        if (isDeleted) {
            services.responses().store().delete(caller.tenant(), id); // if that came between
            return;
        }
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
        if (turn != null && !hasEnded) {
            turn.away(false);
            turn.resume();
        }
    }

    private void outliveItsReaders() {
        if (graceMillis == 0) {
            cancel();
        } else if (graceTimer == NO_TIMER) {
            if (turn != null) {
                turn.away(true);
            }
            graceTimer = context.owner().setTimer(graceMillis, _ -> {
                graceTimer = NO_TIMER;
                cancel();
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
