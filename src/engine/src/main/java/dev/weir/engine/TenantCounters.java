package dev.weir.engine;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The service that each tenant has had: the counters of the virtual token counter (Sheng et al., "Fairness in Serving Large
 * Language Models", OSDI 2024, algorithm 2). Owned by the engine thread.
 *
 * <p>A tenant pays for a prompt when it is admitted and for an answer token by token. Whoever waits with the lowest counter is
 * served next, so that of tenants that always have something waiting none gets ahead by more than a batch's worth. A tenant
 * that comes back starts no lower than those that wait, or than the one that was served last: idle time is not saved up.
 */
final class TenantCounters {
    /** What a prompt's token costs. */
    static final int PROMPT_TOKEN = 1;
    /** What a generated token costs, as the paper and the prices of public services have it. */
    static final int GENERATED_TOKEN = 2;

    /** Arrivals after which a tenant that did not ask again is no longer counted on. */
    private static final int LATELY = 1000;

    private final Map<String, Account> accounts = new HashMap<>();
    private long lastServed;

    /** The number of each tenant's last arrival, of those that have asked lately; the one that did longest ago first. */
    private final SequencedMap<String, Long> lastArrivals = new LinkedHashMap<>();

    private long arrivals;

    private static final class Account {
        private long served;
        private int waiting;
        private int running;
    }

    /** What the tenant has had, in prompt tokens' worth. */
    long served(String tenant) {
        Account account = accounts.get(tenant);
        return account == null ? 0 : account.served;
    }

    /** A sequence of the tenant begins to wait. */
    void waits(String tenant) {
        Account account = accounts.computeIfAbsent(tenant, _ -> new Account());
        if (account.waiting++ == 0) {
            account.served = Math.max(account.served, floor(account));
        }
        lastArrivals.putLast(tenant, ++arrivals);
        while (lastArrivals.firstEntry().getValue() <= arrivals - LATELY) {
            lastArrivals.pollFirstEntry();
        }
    }

    /** Tenants that have asked for something lately, whether they have anything waiting or running now or not. */
    int lately() {
        return lastArrivals.size();
    }

    /** Slots that a tenant holds. */
    int running(String tenant) {
        Account account = accounts.get(tenant);
        return account == null ? 0 : account.running;
    }

    /** Slots that the tenant with most of them holds. */
    int mostRunning() {
        int most = 0;
        for (Account account : accounts.values()) {
            most = Math.max(most, account.running);
        }
        return most;
    }

    private long floor(Account other) {
        long least = Long.MAX_VALUE;
        for (Account account : accounts.values()) {
            if (account != other && account.waiting > 0) {
                least = Math.min(least, account.served);
            }
        }
        return least == Long.MAX_VALUE ? lastServed : least;
    }

    /** A waiting sequence of the tenant ended or was taken. */
    void stopsWaiting(String tenant) {
        Account account = account(tenant);
        account.waiting--;
        forgetIfIdle(tenant, account);
    }

    /** A sequence of the tenant has a slot; {@code promptTokens} of it are to be paid for. */
    void admitted(String tenant, int promptTokens) {
        Account account = account(tenant);
        account.running++;
        lastServed = account.served;
        account.served += (long) PROMPT_TOKEN * promptTokens;
    }

    /** A token was generated for the tenant. */
    void generated(String tenant) {
        account(tenant).served += GENERATED_TOKEN;
    }

    /** A sequence of the tenant gave its slot back. */
    void released(String tenant) {
        Account account = account(tenant);
        account.running--;
        forgetIfIdle(tenant, account);
    }

    /** Tenants that have something waiting or running, or had more than the others. */
    int tenants() {
        return accounts.size();
    }

    /** Sequences of all tenants that wait. */
    int waiting() {
        return accounts.values().stream().mapToInt(account -> account.waiting).sum();
    }

    /** Sequences of all tenants that have a slot. */
    int running() {
        return accounts.values().stream().mapToInt(account -> account.running).sum();
    }

    private Account account(String tenant) {
        Account account = accounts.get(tenant);
        if (account == null) {
            throw new IllegalStateException("tenant \"" + tenant + "\" has nothing waiting or running");
        }
        return account;
    }

    /** Nothing is lost with those who come back no lower than they left, nor with all of them once nobody is there. */
    private void forgetIfIdle(String tenant, Account account) {
        if (account.waiting > 0 || account.running > 0) {
            return;
        }
        if (account.served <= lastServed) {
            accounts.remove(tenant);
        }
        for (Account other : accounts.values()) {
            if (other.waiting > 0 || other.running > 0) {
                return;
            }
        }
        accounts.clear();
        lastServed = 0;
    }
}
