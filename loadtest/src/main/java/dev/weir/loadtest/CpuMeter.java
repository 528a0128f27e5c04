package dev.weir.loadtest;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * What the load tester itself costs: processor time of its process and of its event loop between two moments. Owner:
 * the event loop, whose thread is the one measured. A server on the same machine lacks what this uses, and an event
 * loop that is busy most of the time measures itself.
 */
final class CpuMeter {

    private final com.sun.management.OperatingSystemMXBean process =
            ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    private long processNanos;
    private long loopNanos;
    private long wallNanos;

    void start() {
        processNanos = -process.getProcessCpuTime();
        loopNanos = -threads.getCurrentThreadCpuTime();
        wallNanos = -System.nanoTime();
    }

    void stop() {
        processNanos += process.getProcessCpuTime();
        loopNanos += threads.getCurrentThreadCpuTime();
        wallNanos += System.nanoTime();
    }

    Report.ClientCost cost(long deltas) {
        double wall = Math.max(1, wallNanos);
        return new Report.ClientCost(processNanos / wall, loopNanos / wall, deltas == 0 ? 0 : loopNanos / 1e3 / deltas);
    }
}
