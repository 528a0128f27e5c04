package dev.weir.train;

import java.time.Duration;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;
import org.jspecify.annotations.Nullable;

/**
 * The processes that train one model together, each on blocks of its own, through libtorch's Gloo backend. What they average
 * comes out the same on all of them, to the last bit, so their weights never part. Owned by the training thread.
 */
final class Peers implements AutoCloseable {
    /** A process by itself. */
    static final Peers NONE = new Peers(0, 1, null, null);

    /** Longer than one of them may be busy with a validation while the others wait. */
    private static final Duration LONGEST_WAIT = Duration.ofHours(6);
    /** Enough to read what the first has prepared. */
    private static final Duration LONGEST_MEETING = Duration.ofMinutes(15);

    private final int rank;
    private final int size;
    private final @Nullable TCPStore store;
    private final @Nullable ProcessGroupGloo group;

    private Peers(int rank, int size, @Nullable TCPStore store, @Nullable ProcessGroupGloo group) {
        this.rank = rank;
        this.size = size;
        this.store = store;
        this.group = group;
    }

    /** Where the processes find each other: process 0 listens there. Owned by the training thread. */
    static final class Meeting {
        private final String host;
        private final TCPStore store;

        private Meeting(String host, TCPStore store) {
            this.host = host;
            this.store = store;
        }

        /** The port that process 0 listens on. */
        int port() {
            return store.getPort() & 0xFFFF;
        }

        /** Waits for all processes to be here. */
        Peers join(int rank, int size) {
            ProcessGroupGloo.Options options =
                    ProcessGroupGloo.Options.create(new Milliseconds(LONGEST_MEETING.toMillis()));
            boolean isHere = host.equals("127.0.0.1") || host.equals("localhost");
            options.devices(new GlooDeviceVector(
                    isHere ? ProcessGroupGloo.createDeviceForHostname(host) : ProcessGroupGloo.createDefaultDevice()));
            options.threads(1);
            try {
                ProcessGroupGloo group = new ProcessGroupGloo(store, rank, size, options);
                group.setTimeout(new Milliseconds(LONGEST_WAIT.toMillis()));
                return new Peers(rank, size, store, group);
            } catch (RuntimeException e) {
                throw new UserError("not all of the " + size + " processes have come: " + e.getMessage(), e);
            }
        }
    }

    /**
     * Opens the meeting at an address, or finds it there.
     *
     * @param port 0 for a free one, of process 0
     */
    static Meeting meet(String host, int port, int rank) {
        TCPStoreOptions options = new TCPStoreOptions();
        options.port((short) port);
        options.isServer(rank == 0);
        options.waitWorkers(false);
        options.timeout(new Milliseconds(LONGEST_WAIT.toMillis()));
        try {
            return new Meeting(host, new TCPStore(host, options));
        } catch (RuntimeException e) {
            throw new UserError(
                    "--join is " + host + ":" + port + ", where process " + rank + " cannot "
                            + (rank == 0 ? "listen" : "find process 0") + ": " + e.getMessage(),
                    e);
        }
    }

    /** Which one this process is, from 0; that one keeps the run. */
    int rank() {
        return rank;
    }

    int size() {
        return size;
    }

    boolean leads() {
        return rank == 0;
    }

    /** Replaces the values by their mean over all processes. */
    void average(Tensor values) {
        if (group == null) {
            return;
        }
        try (PointerScope _ = new PointerScope()) {
            Work work = group.allreduce(new TensorVector(values));
            work._wait();
            values.mul_(new Scalar(1.0 / size));
        } catch (RuntimeException e) {
            throw new UserError(
                    "another process of this run has ended: its own output says why. What was saved is "
                            + "whole: --resume goes on with it",
                    e);
        }
    }

    /** The mean of a number over all processes. */
    double average(double value) {
        if (group == null) {
            return value;
        }
        try (PointerScope _ = new PointerScope()) {
            Tensor one = Torch.floats(new float[] {(float) value}, 1);
            average(one);
            return one.item_float();
        }
    }

    /** Whether any process says yes. */
    boolean any(boolean yes) {
        return average(yes ? 1 : 0) > 0;
    }

    @Override
    public void close() {
        if (group != null) {
            group.close();
        }
        if (store != null) {
            store.close();
        }
    }
}
