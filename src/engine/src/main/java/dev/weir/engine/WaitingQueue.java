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
 * priority number, and of those whoever lost a slot already, and then whoever came first.
 */
final class WaitingQueue {
    private static final Comparator<Entry> ORDER = Comparator.<Entry>comparingInt(
                    entry -> entry.sequence.request.priority())
            .thenComparing(entry -> !entry.returns)
            .thenComparingLong(Entry::number);

    private final TenantCounters counters;
    private final Map<String, TreeSet<Entry>> byTenant = new HashMap<>();
    private final Map<Sequence, Entry> entries = new HashMap<>();
    private long arrivals;

    private record Entry(Sequence sequence, boolean returns, long number) {}

    WaitingQueue(TenantCounters counters) {
        this.counters = counters;
    }

    /**
     * Adds a sequence.
     *
     * @param returns whether it had a slot before
     */
    void add(Sequence sequence, boolean returns) {
        Entry entry = new Entry(sequence, returns, arrivals++);
        String tenant = sequence.request.tenant();
        counters.waits(tenant);
        byTenant.computeIfAbsent(tenant, _ -> new TreeSet<>(ORDER)).add(entry);
        entries.put(sequence, entry);
    }

    /**
     * Who is to be served next.
     *
     * @param mayBeServed tenants of whom one is chosen
     * @return null if none of them waits
     */
    @Nullable
    Sequence first(Predicate<String> mayBeServed) {
        TreeSet<Entry> fairest = null;
        long least = Long.MAX_VALUE;
        for (Map.Entry<String, TreeSet<Entry>> tenant : byTenant.entrySet()) {
            long served = counters.served(tenant.getKey());
            TreeSet<Entry> queue = tenant.getValue();
            boolean isFairer = fairest == null
                    || served < least
                    || (served == least && queue.first().number < fairest.first().number);
            if (isFairer && mayBeServed.test(tenant.getKey())) {
                fairest = queue;
                least = served;
            }
        }
        return fairest == null ? null : fairest.first().sequence;
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
        String tenant = sequence.request.tenant();
        byTenant.computeIfPresent(tenant, (_, queue) -> {
            queue.remove(entry);
            return queue.isEmpty() ? null : queue;
        });
        counters.stopsWaiting(tenant);
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
