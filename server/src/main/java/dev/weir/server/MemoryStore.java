package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import io.vertx.core.Future;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Responses and conversations in memory, the least recently used of which make room for new ones. Any thread; a lock is held for as
 * long as it takes to look one up or to change it.
 */
final class MemoryStore implements Store {
    private final int most;
    private final long mostBytes;
    private final Map<Key, Object> byUse = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    /** The name says what it is. */
    private record Key(String tenant, String id) {}

    /** A store of so many responses and conversations that take so many bytes together. */
    MemoryStore(int most, long mostBytes) {
        this.most = most;
        this.mostBytes = mostBytes;
    }

    @Override
    public synchronized Future<?> put(StoredResponse response, StoredEvents events) {
        keep(new Key(response.tenant(), response.id()), response);
        return Future.succeededFuture();
    }

    @Override
    public Future<Optional<StoredResponse>> get(String tenant, String id) {
        return Future.succeededFuture(find(tenant, id, StoredResponse.class));
    }

    /** None: those of the last minutes are at hand anyway, and those of all would take more memory than all the rest. */
    @Override
    public Future<Optional<StoredEvents>> events(String tenant, String id) {
        return Future.succeededFuture(Optional.empty());
    }

    @Override
    public Future<Boolean> delete(String tenant, String id) {
        return Future.succeededFuture(remove(tenant, id, StoredResponse.class));
    }

    @Override
    public Future<?> put(StoredConversation conversation) {
        return Future.future(kept -> {
            change(conversation);
            kept.complete();
        });
    }

    @Override
    public Future<Optional<StoredConversation>> conversation(String tenant, String id) {
        return Future.succeededFuture(find(tenant, id, StoredConversation.class));
    }

    @Override
    public synchronized Future<Optional<StoredConversation>> change(
            String tenant, String id, UnaryOperator<StoredConversation> change) {
        Optional<StoredConversation> found = find(tenant, id, StoredConversation.class);
        try {
            return Future.succeededFuture(found.map(kept -> change(change.apply(kept))));
        } catch (ProtocolException e) {
            return Future.failedFuture(e);
        }
    }

    @Override
    public Future<Boolean> deleteConversation(String tenant, String id) {
        return Future.succeededFuture(remove(tenant, id, StoredConversation.class));
    }

    @Override
    public long failures() {
        return 0;
    }

    @Override
    public void close() {}

    private synchronized StoredConversation change(StoredConversation conversation) {
        if (!keep(new Key(conversation.tenant(), conversation.id()), conversation)) {
            throw new ProtocolException(
                    ApiError.invalid(
                            "conversation_too_long",
                            null,
                            "this server has no memory for the conversation " + conversation.id()
                                    + ": it is too long, or nothing is kept here; begin another or send all of it with each request"));
        }
        return conversation;
    }

    private synchronized <T> Optional<T> find(String tenant, String id, Class<T> kind) {
        Object kept = byUse.get(new Key(tenant, id));
        return kind.isInstance(kept) ? Optional.of(kind.cast(kept)) : Optional.empty();
    }

    private synchronized boolean remove(String tenant, String id, Class<?> kind) {
        Key key = new Key(tenant, id);
        if (!kind.isInstance(byUse.get(key))) {
            return false;
        }
        bytes -= size(byUse.remove(key));
        return true;
    }

    /** Whether there was room for it; if not, nothing has changed. */
    private boolean keep(Key key, Object thing) {
        if (most == 0 || size(thing) > mostBytes) {
            return false;
        }
        bytes += size(thing) - size(byUse.put(key, thing));
        Iterator<Object> oldest = byUse.values().iterator();
        while ((byUse.size() > most || bytes > mostBytes) && oldest.hasNext()) {
            bytes -= size(oldest.next());
            oldest.remove();
        }
        return true;
    }

    private static long size(@Nullable Object thing) {
        return switch (thing) {
            case StoredResponse response -> response.bytes();
            case StoredConversation conversation -> conversation.bytes();
            case null, default -> 0;
        };
    }
}
