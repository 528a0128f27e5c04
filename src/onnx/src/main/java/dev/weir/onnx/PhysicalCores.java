package dev.weir.onnx;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * How many physical cores this process may use. Two hardware threads of one core share its arithmetic units, so more
 * computing threads than cores only get in each other's way. Static functions; any thread.
 */
final class PhysicalCores {
    private PhysicalCores() {}

    /** At least 1; bounded by the process's affinity and its container's share of the processors. */
    static int available() {
        int processors = Runtime.getRuntime().availableProcessors();
        int cores = count(Path.of("/"));
        return cores == 0 ? processors : Math.min(cores, processors);
    }

    /** Cores among the processors that the affinity allows, below another root folder; 0 where it cannot be told. */
    static int count(Path root) {
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
