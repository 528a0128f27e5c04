package dev.weir.train;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Processes with this one's command line, started to train beside it. Owned by the thread that started them. */
final class PeerProcesses implements AutoCloseable {
    private final List<Process> processes = new ArrayList<>();

    /** What a process does with the others. */
    interface Work {
        int run(Peers peers) throws IOException;
    }

    /**
     * Does something with all processes that the options ask for, and starts them unless that is done by hand.
     *
     * @param leader where process 0 was found; null if this is it
     * @param arguments of this process's command line
     * @param folder where what the others print goes, {@code process-N.log}
     * @param matmul that all of them use
     */
    static int together(
            LoopOptions loop,
            Peers.@Nullable Meeting leader,
            List<String> arguments,
            Path folder,
            Matmul matmul,
            Work work)
            throws IOException {
        if (loop.processes == 1) {
            return work.run(Peers.NONE);
        }
        if (leader != null) {
            try (Peers peers = leader.join(Objects.requireNonNull(loop.rank), loop.processes)) {
                return work.run(peers);
            }
        }
        Peers.Meeting meeting = loop.meet(0);
        int started = loop.join == null ? loop.processes : 1;
        try (PeerProcesses _ = start(withMatmul(arguments, matmul), folder, started, meeting.port());
                Peers peers = meeting.join(0, loop.processes)) {
            return work.run(peers);
        }
    }

    /** The same command line with this in place of a choice of its own, in which two processes could differ. */
    private static List<String> withMatmul(List<String> arguments, Matmul matmul) {
        List<String> with = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            if (arguments.get(i).equals("--matmul")) {
                i++;
            } else if (!arguments.get(i).startsWith("--matmul=")) {
                with.add(arguments.get(i));
            }
        }
        with.addAll(List.of("--matmul", matmul.label()));
        return with;
    }

    private static PeerProcesses start(List<String> arguments, Path folder, int size, int port) throws IOException {
        PeerProcesses peers = new PeerProcesses();
        try {
            for (int rank = 1; rank < size; rank++) {
                List<String> command = new ArrayList<>();
                command.add(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString());
                command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
                command.addAll(List.of("-cp", System.getProperty("java.class.path"), TrainMain.class.getName()));
                command.addAll(arguments);
                command.addAll(List.of("--rank", String.valueOf(rank), "--join", LoopOptions.HERE + ":" + port));
                File log = folder.resolve("process-" + rank + ".log").toFile();
                Process process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log)
                        .start();
                int number = rank;
                CompletableFuture<Void> _ = process.onExit().thenAccept(ended -> report(ended, number, log));
                peers.processes.add(process);
            }
            return peers;
        } catch (IOException e) {
            peers.close();
            throw e;
        }
    }

    /** This process only sees that the other no longer answers. */
    private static void report(Process ended, int rank, File log) {
        if (ended.exitValue() != 0) {
            System.err.println("process " + rank + " ended with code " + ended.exitValue() + ": see " + log);
        }
    }

    /** Ends those that have not ended by themselves; they keep nothing that could be lost. */
    @Override
    public void close() {
        processes.forEach(Process::destroy);
    }
}
