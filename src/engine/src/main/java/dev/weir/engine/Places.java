package dev.weir.engine;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Room in the engine: for requests, and for the prompts of those that have no slot yet. Any thread.
 *
 * <p>A tenant that has filled the room cannot keep others out: there is a quarter more for those that hold little, a sixteenth of the
 * room or their share of that quarter. Requests that nobody reads take none of it, but for those that are more than the room itself.
 */
final class Places {
    private static final int FEW = 16;
    private static final int EXTRA = 4;

    private final int mostRequests;
    private final int mostWaitingTokens;
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger waitingTokens = new AtomicInteger();
    private final AtomicInteger away = new AtomicInteger();
    private final AtomicLong promisedTokens = new AtomicLong();
    private final ConcurrentMap<String, Integer> requestsOfTenants = new ConcurrentHashMap<>();

    Places(int mostRequests, int mostWaitingTokens) {
        this.mostRequests = mostRequests;
        this.mostWaitingTokens = mostWaitingTokens;
    }

    /**
     * A place for a prompt of so many tokens, or null if there is none. Where nobody waits there is room for any prompt.
     *
     * @param mostTokens that the prompt and its answer may come to
     */
    @Nullable
    Place take(String tenant, int promptTokens, int mostTokens) {
        int held = requestsOfTenants.merge(tenant, 1, Integer::sum);
        int others = Math.max(1, requestsOfTenants.size() - 1);
        boolean hasFew = held <= Math.max(mostRequests / FEW, mostRequests / EXTRA / others);
        if (takeRequest(hasFew)) {
            if (takeTokens(hasFew, promptTokens)) {
                promisedTokens.addAndGet(mostTokens);
                return new Place(tenant, promptTokens, mostTokens);
            }
            requests.decrementAndGet();
        }
        forget(tenant);
        return null;
    }

    private boolean takeRequest(boolean hasFew) {
        int most = most(mostRequests, hasFew);
        return requests.getAndUpdate(count -> count < most ? count + 1 : count) < most;
    }

    private boolean takeTokens(boolean hasFew, int tokens) {
        int most = most(mostWaitingTokens, hasFew);
        IntPredicate fits = waiting -> waiting == 0 || tokens <= most - waiting;
        return fits.test(waitingTokens.getAndUpdate(waiting -> fits.test(waiting) ? waiting + tokens : waiting));
    }

    private static int most(int bound, boolean hasFew) {
        return hasFew ? (int) Math.min(Integer.MAX_VALUE, bound + (long) bound / EXTRA) : bound;
    }

    private void forget(String tenant) {
        requestsOfTenants.computeIfPresent(tenant, (_, count) -> count == 1 ? null : count - 1);
    }

    /** Requests that have a place at most, but for those of tenants that have few. */
    int mostRequests() {
        return mostRequests;
    }

    /** Requests that have a place. */
    int requests() {
        return requests.get();
    }

    /** Requests of the tenant that have a place. */
    int requests(String tenant) {
        return requestsOfTenants.getOrDefault(tenant, 0);
    }

    /** Prompt tokens of requests that have had no slot yet. */
    int waitingTokens() {
        return waitingTokens.get();
    }

    /** Tokens of all requests that have not ended, read or not, if they become as long as they may. */
    long promisedTokens() {
        return promisedTokens.get();
    }

    /** One request's place. What is given back twice is given back once. */
    final class Place {
        private final String tenant;
        private final int promptTokens;
        private final int mostTokens;
        private boolean waits = true;
        private boolean isTaken = true;
        private boolean isAway;

        private Place(String tenant, int promptTokens, int mostTokens) {
            this.tenant = tenant;
            this.promptTokens = promptTokens;
            this.mostTokens = mostTokens;
        }

        /** The request has a slot. */
        synchronized void admitted() {
            if (waits && isTaken && !isAway) {
                waitingTokens.addAndGet(-promptTokens);
            }
            waits = false;
        }

        /** Nobody reads the request any more, or somebody does again, whose place is there however full the room is. */
        synchronized void setAway(boolean nowAway) {
            if (!isTaken || nowAway == isAway) {
                return;
            }
            if (!nowAway) {
                away.decrementAndGet();
                requests.incrementAndGet();
                requestsOfTenants.merge(tenant, 1, Integer::sum);
                waitingTokens.addAndGet(waits ? promptTokens : 0);
                isAway = false;
            } else if (away.getAndUpdate(count -> Math.min(mostRequests, count + 1)) < mostRequests) {
                giveBack();
                isAway = true;
            }
        }

        /** The request has ended, with or without a slot. */
        synchronized void ended() {
            if (!isTaken) {
                return;
            }
            if (isAway) {
                away.decrementAndGet();
            } else {
                giveBack();
            }
            promisedTokens.addAndGet(-mostTokens);
            isTaken = false;
        }

        private void giveBack() {
            requests.decrementAndGet();
            forget(tenant);
            waitingTokens.addAndGet(waits ? -promptTokens : 0);
        }
    }
}
