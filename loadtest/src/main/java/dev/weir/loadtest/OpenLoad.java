package dev.weir.loadtest;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * A load of independent users: requests arrive as a Poisson process of a given rate, however slowly the server answers.
 * Each arrival has an intended start, and latency counts from there; one that finds {@code maxInFlight} requests under
 * way is dropped and counted, never delayed.
 *
 * @param ratePerSecond mean arrivals per second after the ramp, during which the rate grows linearly from zero
 * @param seed settles the arrival times
 */
record OpenLoad(double ratePerSecond, int maxInFlight, Duration ramp, long seed) implements LoadShape {

    OpenLoad {
        if (!(ratePerSecond > 0 && ratePerSecond <= 1e6)) {
            throw new IllegalArgumentException("--rate must be above 0 and at most 1000000, not " + ratePerSecond);
        }
        if (maxInFlight < 1) {
            throw new IllegalArgumentException("--max-in-flight must be at least 1, not " + maxInFlight);
        }
    }

    @Override
    public void start(LoadRun run) {
        Arrivals arrivals = new Arrivals(run);
        arrivals.scheduleNext();
    }

    @Override
    public String describe() {
        return String.format(
                Locale.ROOT,
                "open load of %s requests/s (Poisson arrivals, at most %d in flight)",
                ratePerSecond == Math.rint(ratePerSecond) ? Long.toString((long) ratePerSecond) : "" + ratePerSecond,
                maxInFlight);
    }

    /**
     * The time at which the expected number of arrivals reaches {@code expected}, in seconds. With unit exponential
     * gaps summed into {@code expected} this turns a unit Poisson process into one of this load's rate: the expected
     * number grows as rate t^2 / (2 ramp) during the ramp and as rate (t - ramp/2) after it.
     */
    static double arrivalSeconds(double expected, double ratePerSecond, double rampSeconds) {
        double atRampEnd = ratePerSecond * rampSeconds / 2;
        return expected < atRampEnd
                ? Math.sqrt(2 * rampSeconds * expected / ratePerSecond)
                : expected / ratePerSecond + rampSeconds / 2;
    }

    /** The arrivals of one run. */
    private final class Arrivals {

        private final LoadRun run;
        private final long originNanos;
        private final RandomGenerator random =
                RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        private final ArrayDeque<VirtualUser> idle = new ArrayDeque<>();
        private int users;
        private double expected;
        private long nextNanos;

        Arrivals(LoadRun run) {
            this.run = run;
            this.originNanos = run.clock().nanoTime();
            draw();
        }

        private void draw() {
            expected += random.nextExponential();
            nextNanos = originNanos + (long) (1e9 * arrivalSeconds(expected, ratePerSecond, ramp.toNanos() / 1e9));
        }

        void scheduleNext() {
            run.clock().schedule(nextNanos - run.clock().nanoTime(), this::arrive);
        }

        private void arrive() {
            while (nextNanos <= run.clock().nanoTime()) {
                if (!run.takeTicket()) {
                    return;
                }
                arriveAt(nextNanos);
                draw();
            }
            scheduleNext();
        }

        private void arriveAt(long intendedNanos) {
            VirtualUser user = idle.pollLast();
            if (user == null) {
                if (users == maxInFlight) {
                    run.dropArrival();
                    return;
                }
                users++;
                user = run.newUser();
            }
            VirtualUser chosen = user;
            run.sendIntended(chosen, intendedNanos, _ -> idle.addLast(chosen));
        }
    }
}
