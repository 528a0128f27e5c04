package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import io.vertx.core.Future;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;

/**
 * Responses and conversations in a database, for some days after their end or their last change. Any thread; the database has a thread of its own.
 *
 * <p>The client hears of the end of a response once it is stored, so that it finds what it has seen complete even after a crash. A
 * database that is slow or gone holds nobody up: the first response waits for it in vain, for a moment, those
 * after it not at all until it works again. What cannot be stored is lost, and a client that asks for it later is told so.
 * Whoever changes a conversation waits, and hears whether that was done.
 */
final class JdbcStore implements Store {
    /** What responses that wait to be stored may take; more are lost. */
    static final long PENDING_BYTES = 64 << 20;

    /** How long a client waits for the end of a response to be stored. */
    private static final Duration WRITE_PATIENCE = Duration.ofSeconds(1);

    /** How long a client waits for what it asks for. */
    private static final Duration READ_PATIENCE = Duration.ofSeconds(10);

    private static final Duration CLEAN_UP_INTERVAL = Duration.ofHours(1);
    private static final int MOST_LOST = 10_000;

    private final Database database;
    private final ResponseTable responses;
    private final ConversationTable conversations;
    private final Duration kept;
    private final LongSupplier clockMillis;
    private final DatabaseThread thread = new DatabaseThread(PENDING_BYTES);
    private final DatabaseHealth health = new DatabaseHealth();
    private final Set<String> lost = Collections.synchronizedSet(Collections.newSetFromMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > MOST_LOST;
        }
    }));

    /**
     * Opens a database.
     *
     * @param kept how long a response is kept after its end
     * @throws IllegalArgumentException if that cannot be done, saying why and what helps
     */
    JdbcStore(JdbcUrl url, Duration kept, LongSupplier clockMillis) {
        this.kept = kept;
        this.clockMillis = clockMillis;
        try {
            database = new Database(url);
            responses = new ResponseTable(database);
            conversations = new ConversationTable(database);
        } catch (SQLException e) {
            String message = url.hiddenIn(String.valueOf(e.getMessage()));
            String reason = message.lines().findFirst().orElse("");
            throw new IllegalArgumentException(
                    "store is " + url + " but "
                            + (reason.contains("No suitable driver")
                                    ? "no driver on the class path knows it; put its jar into WEIR_CLASS_PATH"
                                    : "the database cannot be used: " + reason),
                    e);
        }
        thread.repeat(this::cleanUp, CLEAN_UP_INTERVAL);
    }

    @Override
    public Future<?> put(StoredResponse response, StoredEvents events) {
        long endedAt = clockMillis.getAsLong();
        long begun = System.nanoTime();
        boolean isAwaited = health.isWell();
        Future<?> stored = thread.run(response.bytes() + events.bytes(), WRITE_PATIENCE, () -> {
            try {
                responses.put(response, events, endedAt);
                health.took(System.nanoTime() - begun, WRITE_PATIENCE);
                return response;
            } catch (SQLException | RuntimeException e) {
                lose(response, e);
                throw e;
            }
        });
        stored.onFailure(cause -> {
            if (cause instanceof DatabaseThread.FullException) {
                lose(response, cause);
            } else if (cause instanceof DatabaseThread.LateException) {
                health.tooSlow(WRITE_PATIENCE);
            }
        });
        return isAwaited ? stored : Future.succeededFuture();
    }

    @Override
    public Future<Optional<StoredResponse>> get(String tenant, String id) {
        return ask(id, Optional.empty(), () -> known(tenant, id, responses.find(tenant, id)));
    }

    @Override
    public Future<Optional<StoredEvents>> events(String tenant, String id) {
        return ask(id, Optional.empty(), () -> known(tenant, id, responses.findEvents(tenant, id)));
    }

    @Override
    public Future<Boolean> delete(String tenant, String id) {
        return ask(id, false, () -> {
            boolean wasLost = lost.remove(key(tenant, id));
            return responses.delete(tenant, id) || wasLost;
        });
    }

    @Override
    public Future<?> put(StoredConversation conversation) {
        return ask(conversation.bytes(), () -> {
            conversations.insert(conversation, clockMillis.getAsLong());
            return conversation;
        });
    }

    @Override
    public Future<Optional<StoredConversation>> conversation(String tenant, String id) {
        return ask(id, Optional.empty(), () -> conversations.find(tenant, id));
    }

    @Override
    public Future<Optional<StoredConversation>> change(
            String tenant, String id, UnaryOperator<StoredConversation> change) {
        return ask(id, Optional.empty(), () -> conversations.change(tenant, id, change, clockMillis.getAsLong()));
    }

    @Override
    public Future<Boolean> deleteConversation(String tenant, String id) {
        return ask(id, false, () -> conversations.delete(tenant, id));
    }

    @Override
    public long failures() {
        return health.failures();
    }

    @Override
    public void close() {
        thread.close(database::close);
    }

    /** Asks for something by its name; what cannot be one need not be looked for, and a database may choke on it. */
    private <T> Future<T> ask(String id, T ifNone, DatabaseThread.Task<T> task) {
        return Ids.isOne(id) ? ask(0, task) : Future.succeededFuture(ifNone);
    }

    private <T> Future<T> ask(long bytes, DatabaseThread.Task<T> task) {
        return thread.run(bytes, READ_PATIENCE, () -> {
                    T answer = task.run();
                    health.works();
                    return answer;
                })
                .recover(cause -> Future.failedFuture(new ProtocolException(error(cause))));
    }

    private ApiError error(Throwable cause) {
        if (cause instanceof ProtocolException e) {
            return e.error();
        }
        health.failed(cause);
        return ApiError.unavailable(
                "store_unavailable",
                cause instanceof DatabaseThread.LateException
                        ? "the database of stored responses does not answer; try again later"
                        : "the database of stored responses cannot be used just now; try again later");
    }

    private <T> Optional<T> known(String tenant, String id, Optional<T> found) {
        if (found.isEmpty() && lost.contains(key(tenant, id))) {
            throw new ProtocolException(new ApiError(
                    404,
                    "invalid_request_error",
                    "response_not_found",
                    "response_id",
                    "Response with id '" + id + "' was given but not stored: the database failed at its end."));
        }
        return found;
    }

    private void lose(StoredResponse response, Throwable cause) {
        lost.add(key(response.tenant(), response.id()));
        health.failed(cause);
    }

    private void cleanUp() {
        try {
            long oldest = clockMillis.getAsLong() - kept.toMillis();
            int deleted = responses.deleteOlderThan(oldest) + conversations.deleteOlderThan(oldest);
            Logs.SERVER.debug(
                    "{} stored responses and conversations are older than {} days and were deleted",
                    deleted,
                    kept.toDays());
        } catch (SQLException e) {
            health.failed(e);
        }
    }

    private static String key(String tenant, String id) {
        return id + " " + tenant;
    }
}
