package dev.weir.server;

import java.time.Duration;

/**
 * How long responses outlive their connections, and what of them is kept for clients that come back. Immutable; any thread.
 *
 * @param bytes bytes of events that are kept of one response; one that has as many for readers to take is parked
 * @param kept time for which the events of a response are kept after its end
 * @param grace time for which a response goes on while nobody reads it
 */
record ResumeLimits(int bytes, Duration kept, Duration grace) {
    static final ResumeLimits DEFAULT = new ResumeLimits(1 << 20, Duration.ofMinutes(5), Duration.ofSeconds(30));

    /** Responses that have ended keep, all together, the events of so many full ones at most. */
    private static final int ENDED = 64;

    ResumeLimits {
        if (bytes < 1) {
            throw new IllegalArgumentException("resume-memory is " + bytes + " but must be 1 or more bytes");
        }
        if (kept.isNegative()) {
            throw new IllegalArgumentException("resume-time is " + kept.toSeconds() + " but must be 0 or more seconds");
        }
        if (grace.isNegative()) {
            throw new IllegalArgumentException("grace-time is " + grace.toSeconds() + " but must be 0 or more seconds");
        }
    }

    /** Bytes of events that are kept of all ended responses together. */
    long endedBytes() {
        return (long) ENDED * bytes;
    }
}
