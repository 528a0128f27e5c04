package dev.weir.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Sequences that wait for a slot. Owned by the engine thread.
 *
 * <p>The next one is of the tenant that has had the least ({@link TenantCounters}); of that tenant's, the one of the lowest
 * priority number, and of those whoever lost a slot already, and then whoever came first. Behind all of them come, in the same
 * order, those that nobody reads.
 */
final class WaitingQueue {
    private static final Comparator<Entry> ORDER = Comparator.comparing(Entry::isAway)
            .thenComparingInt(entry -> entry.sequence.request.priority())
            .thenComparing(entry -> !entry.returns)
            .thenComparingLong(Entry::number);

    private final TenantCounters counters;
    /** Of those that are first of their tenant's. */
    private final Comparator<Entry> fairest;

    private final Map<String, TreeSet<Entry>> byTenant = new HashMap<>();
    private final Map<Sequence, Entry> entries = new HashMap<>();
    private long arrivals;
    private int away;

    private record Entry(Sequence sequence, boolean isAway, boolean returns, long number) {}

    WaitingQueue(TenantCounters counters) {
        this.counters = counters;
        fairest = Comparator.comparing(Entry::isAway)
                .thenComparingLong(entry -> counters.served(entry.sequence.request.tenant()))
                .thenComparingLong(Entry::number);
    }

    /**
     * Adds a sequence.
     *
     * @param returns whether it had a slot before
     */
    void add(Sequence sequence, boolean returns) {
        counters.waits(sequence.request.tenant());
        put(new Entry(sequence, sequence.isAway(), returns, arrivals++));
    }

    private void put(Entry entry) {
        byTenant.computeIfAbsent(entry.sequence.request.tenant(), _ -> new TreeSet<>(ORDER))
                .add(entry);
        entries.put(entry.sequence, entry);
        away += entry.isAway ? 1 : 0;
    }

    private void take(Entry entry) {
        byTenant.computeIfPresent(entry.sequence.request.tenant(), (_, queue) -> {
            queue.remove(entry);
            return queue.isEmpty() ? null : queue;
        });
        away -= entry.isAway ? 1 : 0;
    }

    /** Its reader went or came back: it keeps its place among those like it. */
    void setAway(Sequence sequence, boolean isAway) {
        Entry entry = entries.get(sequence);
        if (entry != null) {
            take(entry);
            put(new Entry(sequence, isAway, entry.returns, entry.number));
        }
    }

    /** Whether somebody waits for an answer that is read. */
    boolean hasReaders() {
        return entries.size() > away;
    }

    /**
     * Who is to be served next; what nobody reads is not while anything else waits.
     *
     * @param mayBeServed tenants of whom one is chosen
     * @return null if none of them waits
     */
    @Nullable
    Sequence first(Predicate<String> mayBeServed) {
        Entry next = null;
        for (Map.Entry<String, TreeSet<Entry>> tenant : byTenant.entrySet()) {
            Entry first = tenant.getValue().first();
            if ((next == null || fairest.compare(first, next) < 0) && mayBeServed.test(tenant.getKey())) {
                next = first;
            }
        }
        return next == null || (next.isAway && hasReaders()) ? null : next.sequence;
    }

    /** How many of its tenant go before a sequence that waits. */
    int ahead(Sequence sequence) {
        Entry entry = entries.get(sequence);
        TreeSet<Entry> queue = byTenant.get(sequence.request.tenant());
        return entry == null || queue == null ? 0 : queue.headSet(entry).size();
    }

    /** Takes a sequence out, wherever it stands; one that was cancelled before it came here is not there. */
    void remove(Sequence sequence) {
        Entry entry = entries.remove(sequence);
        if (entry == null) {
            return;
        }
        take(entry);
        counters.stopsWaiting(sequence.request.tenant());
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    int size() {
        return entries.size();
    }

    List<Sequence> all() {
        return new ArrayList<>(entries.keySet());
    }
}
