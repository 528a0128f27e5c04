package dev.weir.server;

import io.vertx.core.Future;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Responses in memory, the least recently used of which make room for new ones. Any thread; a lock is held for as long as it takes
 * to look one up.
 */
final class MemoryResponseStore implements ResponseStore {
    private final int most;
    private final long mostBytes;
    private final Map<Key, StoredResponse> byUse = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    private record Key(String tenant, String id) {}

    /** A store of so many responses that take so many bytes together. */
    MemoryResponseStore(int most, long mostBytes) {
        this.most = most;
        this.mostBytes = mostBytes;
    }

    @Override
    public synchronized Future<?> put(StoredResponse response, StoredEvents events) {
        StoredResponse replaced = byUse.put(new Key(response.tenant(), response.id()), response);
        bytes += response.bytes() - (replaced == null ? 0 : replaced.bytes());
        Iterator<StoredResponse> oldest = byUse.values().iterator();
        while ((byUse.size() > most || bytes > mostBytes) && oldest.hasNext()) {
            bytes -= oldest.next().bytes();
            oldest.remove();
        }
        return Future.succeededFuture();
    }

    @Override
    public synchronized Future<Optional<StoredResponse>> get(String tenant, String id) {
        return Future.succeededFuture(Optional.ofNullable(byUse.get(new Key(tenant, id))));
    }

    /** None: those of the last minutes are at hand anyway, and those of all would take more memory than all the rest. */
    @Override
    public Future<Optional<StoredEvents>> events(String tenant, String id) {
        return Future.succeededFuture(Optional.empty());
    }

    @Override
    public synchronized Future<Boolean> delete(String tenant, String id) {
        StoredResponse removed = byUse.remove(new Key(tenant, id));
        bytes -= removed == null ? 0 : removed.bytes();
        return Future.succeededFuture(removed != null);
    }

    @Override
    public long failures() {
        return 0;
    }

    @Override
    public void close() {}
}
