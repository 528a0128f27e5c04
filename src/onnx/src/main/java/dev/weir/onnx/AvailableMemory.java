package dev.weir.onnx;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * How much memory this process may still use: what the machine has left or, if less, what the container's limit leaves.
 * Static functions; any thread.
 *
 * <p>Memory that only caches files counts as available, both on the machine and in the container: the system gives it up
 * when it is needed.
 */
public final class AvailableMemory {
    private AvailableMemory() {}

    /** Bytes that may still be allocated. */
    public static long bytes() {
        return bytes(Path.of("/"))
                .orElseGet(() -> ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class)
                        .getFreeMemorySize());
    }

    /** The same below another root folder; empty where there is no Linux. */
    static OptionalLong bytes(Path root) {
        OptionalLong machine = field(root.resolve("proc/meminfo"), "MemAvailable:");
        if (machine.isEmpty()) {
            return OptionalLong.empty();
        }
        long available = machine.getAsLong() * 1024;
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            // hierarchy:controllers:path, with no controllers in version 2
            String[] parts = line.split(":", 3);
            if (parts.length == 3 && parts[1].isEmpty()) {
                available = Math.min(available, unified(root.resolve("sys/fs/cgroup"), parts[2]));
            } else if (parts.length == 3 && ("," + parts[1] + ",").contains(",memory,")) {
                available = Math.min(available, version1(root.resolve("sys/fs/cgroup/memory"), parts[2]));
            }
        }
        return OptionalLong.of(Math.max(0, available));
    }

    private static long unified(Path mount, String path) {
        return leftOver(mount, path, "memory.max", "memory.current", "inactive_file");
    }

    private static long version1(Path mount, String path) {
        return leftOver(mount, path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
    }

    /** The least that any group from the process's own up to the root leaves. */
    private static long leftOver(Path mount, String path, String limitFile, String usageFile, String reclaimable) {
        long left = Long.MAX_VALUE;
        // Inside a container the group's path is often that of the host, and its own group is the mount itself.
        Path group = mount.resolve(path.substring(Math.min(path.length(), 1))).normalize();
        for (; group != null && group.startsWith(mount); group = group.getParent()) {
            OptionalLong limit = number(group.resolve(limitFile));
            OptionalLong usage = number(group.resolve(usageFile));
            if (limit.isPresent() && usage.isPresent()) {
                long cached =
                        field(group.resolve("memory.stat"), reclaimable + " ").orElse(0);
                left = Math.min(left, limit.getAsLong() - usage.getAsLong() + cached);
            }
        }
        return left;
    }

    /** The number in a file of one line; empty if there is none or it says "max". */
    private static OptionalLong number(Path file) {
        for (String line : lines(file)) {
            return parse(line);
        }
        return OptionalLong.empty();
    }

    private static OptionalLong field(Path file, String prefix) {
        for (String line : lines(file)) {
            if (line.startsWith(prefix)) {
                return parse(line.substring(prefix.length()).replace("kB", ""));
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong parse(String text) {
        try {
            return OptionalLong.of(Long.parseLong(text.strip()));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    private static Iterable<String> lines(Path file) {
        try {
            return Files.isRegularFile(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }
}
