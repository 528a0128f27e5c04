package dev.weir.onnx;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** What the processor offers this process, as Linux tells it. Static functions; any thread. */
final class Processor {
    private Processor() {}

    /**
     * How many cores may compute: at least 1, bounded by the process's affinity and its container's share. Two hardware
     * threads of one core share its arithmetic units, so more computing threads than cores get in each other's way.
     */
    static int physicalCores() {
        int processors = Runtime.getRuntime().availableProcessors();
        int cores = physicalCores(Path.of("/"));
        return cores == 0 ? processors : Math.min(cores, processors);
    }

    /** Cores among the processors that the affinity allows, below another root folder; 0 where it cannot be told. */
    static int physicalCores(Path root) {
        Set<String> cores = new HashSet<>();
        try {
            for (String line : Files.readAllLines(root.resolve("proc/self/status"))) {
                if (line.startsWith("Cpus_allowed_list:")) {
                    for (int cpu :
                            parseList(line.substring(line.indexOf(':') + 1).strip())) {
                        Path siblings =
                                root.resolve("sys/devices/system/cpu/cpu" + cpu + "/topology/thread_siblings_list");
                        cores.add(Files.readString(siblings).strip());
                    }
                }
            }
        } catch (IOException | NumberFormatException e) {
            return 0; // not Linux, or a Linux that hides its topology
        }
        return cores.size();
    }

    /**
     * Whether the fast product of unsigned and signed bytes may overflow: on x86 without VNNI, pairs of products are added
     * in 16 bits. Elsewhere, and where it cannot be told, no.
     */
    static boolean overflowsInt8() {
        return overflowsInt8(Path.of("/"));
    }

    static boolean overflowsInt8(Path root) {
        try {
            for (String line : Files.readAllLines(root.resolve("proc/cpuinfo"))) {
                if (line.startsWith("flags")) {
                    String flags = line + " ";
                    return flags.contains(" avx2 ") && !flags.contains("_vnni ");
                }
            }
        } catch (IOException e) {
            return false;
        }
        return false;
    }

    /** Numbers of a list such as {@code 0-3,8}. */
    private static Set<Integer> parseList(String list) {
        Set<Integer> numbers = new HashSet<>();
        for (String range : list.split(",", -1)) {
            String[] ends = range.split("-", -1);
            for (int i = Integer.parseInt(ends[0]); i <= Integer.parseInt(ends[ends.length - 1]); i++) {
                numbers.add(i);
            }
        }
        return numbers;
    }
}
