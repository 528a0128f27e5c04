package dev.weir.server;

import java.time.Duration;
import picocli.CommandLine.Option;

/** The options that say how long responses outlive their connections, their end and the order to stop. */
final class ResumeOptions {
    @Option(
            names = "--resume-memory",
            paramLabel = "SIZE",
            converter = MemorySize.Converter.class,
            description = "Memory for the events of one response, for clients that lose their connection and come back;"
                    + " a response that is so far ahead of its readers waits for them. Default: ${DEFAULT-VALUE}.")
    private MemorySize resumeMemory = new MemorySize(ResumeLimits.DEFAULT.bytes());

    @Option(
            names = "--resume-time",
            paramLabel = "S",
            description = "Seconds for which the events of a response are kept after its end."
                    + " Default: ${DEFAULT-VALUE}.")
    private int resumeTime = Math.toIntExact(ResumeLimits.DEFAULT.kept().toSeconds());

    @Option(
            names = "--grace-time",
            paramLabel = "S",
            description = "Seconds for which a response goes on when its connection is lost; then it is cancelled."
                    + " Default: ${DEFAULT-VALUE}.")
    private int graceTime = Math.toIntExact(ResumeLimits.DEFAULT.grace().toSeconds());

    @Option(
            names = "--stall-time",
            paramLabel = "S",
            description =
                    "Seconds after which a stream that its client does not read ends with the error slow_consumer."
                            + " Default: ${DEFAULT-VALUE}.")
    private int stallTime = Math.toIntExact(ServerLimits.DEFAULT.stallTimeout().toSeconds());

    @Option(
            names = "--drain-time",
            paramLabel = "S",
            description =
                    "Seconds that what runs has to end when the server is told to stop, by SIGTERM or Ctrl-C; then it ends"
                            + " as it is. A second signal ends the server at once. Default: ${DEFAULT-VALUE}.")
    private int drainTime = 30;

    /** How long the server may take to stop. */
    Duration drainTime() {
        return Duration.ofSeconds(drainTime);
    }

    /**
     * The limits with what the options say.
     *
     * @throws IllegalArgumentException naming the option and its range
     */
    ServerLimits apply(ServerLimits limits) {
        if (stallTime < 1) {
            throw new IllegalArgumentException("stall-time is " + stallTime + " but must be 1 or more seconds");
        }
        if (resumeMemory.bytes() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("resume-memory is " + resumeMemory + " but must be below 2g");
        }
        if (drainTime < 0) {
            throw new IllegalArgumentException("drain-time is " + drainTime + " but must be 0 or more seconds");
        }
        return limits.withStallTimeout(Duration.ofSeconds(stallTime))
                .withResume(new ResumeLimits(
                        (int) resumeMemory.bytes(), Duration.ofSeconds(resumeTime), Duration.ofSeconds(graceTime)));
    }
}
