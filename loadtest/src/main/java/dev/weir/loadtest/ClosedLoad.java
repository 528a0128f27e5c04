package dev.weir.loadtest;

import java.time.Duration;

/**
 * A load of a fixed number of users, each of which sends its next request when its last was answered. It finds the
 * server's throughput at that concurrency; it cannot show overload, because slow answers slow the load down. A user
 * whose request failed waits before the next, at first 100 ms and up to 2 s after repeated failures, so that a server
 * that refuses is not flooded.
 */
record ClosedLoad(int sessions, Duration ramp) implements LoadShape {

    private static final long FIRST_PAUSE_NANOS = 100_000_000;
    private static final long LONGEST_PAUSE_NANOS = 2_000_000_000;

    ClosedLoad {
        if (sessions < 1) {
            throw new IllegalArgumentException("--sessions must be at least 1, not " + sessions);
        }
    }

    @Override
    public void start(LoadRun run) {
        for (int i = 0; i < sessions; i++) {
            VirtualUser user = run.newUser();
            long delay = ramp.toNanos() * i / sessions;
            if (delay == 0) {
                next(run, user, 0);
            } else {
                run.clock().schedule(delay, () -> next(run, user, 0));
            }
        }
    }

    private void next(LoadRun run, VirtualUser user, int failures) {
        if (!run.takeTicket()) {
            return;
        }
        run.send(user, outcome -> {
            if (outcome instanceof Outcome.Failed) {
                run.clock().schedule(pauseNanos(failures), () -> next(run, user, failures + 1));
            } else {
                next(run, user, 0);
            }
        });
    }

    static long pauseNanos(int failuresBefore) {
        return Math.min(LONGEST_PAUSE_NANOS, FIRST_PAUSE_NANOS << Math.min(failuresBefore, 10));
    }

    @Override
    public int maxInFlight() {
        return sessions;
    }

    @Override
    public String describe() {
        return "closed load of " + sessions + (sessions == 1 ? " session" : " sessions");
    }
}
