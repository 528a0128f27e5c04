package dev.weir.loadtest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of a load against a server: ramp, warm-up, measured window, end. Owner: the thread of its clock, on which
 * every method is called. The load's shape decides when requests start; this keeps the limits and the users.
 */
final class LoadRun {

    /**
     * When a run ends.
     *
     * @param warmUp time after the ramp that is not measured
     * @param duration length of the measured window; null = until the requests are used up
     * @param requests how many requests to start inside the measured window; null = no limit
     * @param timeout the most a single request may take
     */
    record Limits(
            Duration warmUp,
            @Nullable Duration duration,
            @Nullable Long requests,
            Duration timeout) {
        Limits {
            if (duration == null && requests == null) {
                throw new IllegalArgumentException("a run needs --duration or --requests, otherwise it would not end");
            }
        }
    }

    /** Told of the run's turning points, on the run's thread. */
    interface Observer {
        void windowOpened();

        void windowClosed();

        void finished();
    }

    private static final long SWEEP_NANOS = 500_000_000;

    private final LoadClock clock;
    private final LoadShape shape;
    private final Limits limits;
    private final Supplier<GenerationClient> clients;
    private final LongFunction<String> bodies;
    private final LatencyRecorder recorder;
    private final BiConsumer<RequestTrace, Outcome> atEnd;
    private final Observer observer;

    private final List<VirtualUser> users = new ArrayList<>();
    private boolean isMeasuring;
    private boolean isOver;
    private long ticketsTaken;
    private long nextIndex;
    private int inFlight;

    /**
     * @param clients makes a connection for a new user
     * @param bodies makes the body of the request with the given number
     * @param atEnd told of each request that ended
     */
    LoadRun(
            LoadClock clock,
            LoadShape shape,
            Limits limits,
            Supplier<GenerationClient> clients,
            LongFunction<String> bodies,
            LatencyRecorder recorder,
            BiConsumer<RequestTrace, Outcome> atEnd,
            Observer observer) {
        this.clock = clock;
        this.shape = shape;
        this.limits = limits;
        this.clients = clients;
        this.bodies = bodies;
        this.recorder = recorder;
        this.atEnd = atEnd;
        this.observer = observer;
    }

    void start() {
        long unmeasured = shape.ramp().plus(limits.warmUp()).toNanos();
        if (unmeasured == 0) {
            openWindow();
        } else {
            clock.schedule(unmeasured, this::openWindow);
        }
        clock.schedule(SWEEP_NANOS, this::sweep);
        shape.start(this);
    }

    /** Ends the run now: requests under way are cancelled. A second call does nothing. */
    void stop() {
        if (isOver) {
            return;
        }
        isOver = true;
        long now = clock.nanoTime();
        recorder.closeWindow(now);
        observer.windowClosed();
        for (VirtualUser user : users) {
            user.giveUp(now, new Outcome.Cancelled());
        }
        observer.finished();
    }

    private void openWindow() {
        if (isOver) {
            return;
        }
        isMeasuring = true;
        recorder.openWindow(clock.nanoTime());
        observer.windowOpened();
        if (limits.duration() != null) {
            clock.schedule(limits.duration().toNanos(), this::stop);
        }
    }

    /** Fails requests that have taken too long. Twice a second is precise enough, and costs less than timers do. */
    private void sweep() {
        if (isOver) {
            return;
        }
        long now = clock.nanoTime();
        long timeoutNanos = limits.timeout().toNanos();
        // A user that is given up may start its next request at once; users made meanwhile are too young to matter.
        for (int i = 0; i < users.size(); i++) {
            VirtualUser user = users.get(i);
            if (user.isBusy() && now - user.startNanos() >= timeoutNanos) {
                user.giveUp(
                        now,
                        new Outcome.Failed(
                                ErrorKind.TIMEOUT,
                                "",
                                "no end of the answer within " + Durations.format(limits.timeout())));
            }
        }
        clock.schedule(SWEEP_NANOS, this::sweep);
    }

    LoadClock clock() {
        return clock;
    }

    int inFlight() {
        return inFlight;
    }

    boolean isMeasuring() {
        return isMeasuring;
    }

    /** Whether one more request may start; counts it if so. Requests of the warm-up are free. */
    boolean takeTicket() {
        if (isOver) {
            return false;
        }
        if (isMeasuring && limits.requests() != null) {
            if (ticketsTaken >= limits.requests()) {
                return false;
            }
            ticketsTaken++;
        }
        return true;
    }

    VirtualUser newUser() {
        VirtualUser user = new VirtualUser(clients.get(), recorder, atEnd);
        users.add(user);
        return user;
    }

    void dropArrival() {
        recorder.dropped(clock.nanoTime());
        endIfUsedUp();
    }

    void send(VirtualUser user, Consumer<Outcome> whenFree) {
        inFlight++;
        long index = nextIndex++;
        user.send(index, bodies.apply(index), clock.nanoTime(), outcome -> freed(outcome, whenFree));
    }

    void sendIntended(VirtualUser user, long intendedNanos, Consumer<Outcome> whenFree) {
        inFlight++;
        long index = nextIndex++;
        user.sendIntended(index, bodies.apply(index), intendedNanos, outcome -> freed(outcome, whenFree));
    }

    private void freed(Outcome outcome, Consumer<Outcome> whenFree) {
        inFlight--;
        whenFree.accept(outcome);
        endIfUsedUp();
    }

    private void endIfUsedUp() {
        if (inFlight == 0 && isMeasuring && limits.requests() != null && ticketsTaken >= limits.requests()) {
            stop();
        }
    }
}
