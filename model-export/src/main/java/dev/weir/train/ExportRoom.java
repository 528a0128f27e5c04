package dev.weir.train;

import dev.weir.onnx.AvailableMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What an export takes of the machine, looked at before anything is allocated. Immutable; any thread.
 *
 * @param stored bytes of the model's file
 * @param session bytes of the model while ONNX Runtime loads it, 0 if it does not
 * @param compared bytes of libtorch's copy of the weights, with which the model is compared, 0 if it is not
 * @param largest bytes of the largest constant
 */
record ExportRoom(long stored, long session, long compared, long largest) {
    /** ONNX Runtime holds weights twice while it arranges them for its kernels. */
    private static final int SESSION_COPIES = 2;

    static ExportRoom of(GptConfig config, Precision precision) {
        ModelCost cost = new ModelCost(config);
        long stored = cost.weightBytes(precision);
        long floats = cost.weightBytes(Precision.FP32);
        return new ExportRoom(
                stored,
                // Half floats are still there while they become float32.
                precision.halves().isPresent() ? stored + SESSION_COPIES * floats : SESSION_COPIES * stored,
                floats,
                cost.largestTensorBytes(precision));
    }

    /**
     * The same for a model that nothing is compared with.
     *
     * @param isRun whether ONNX Runtime loads it all the same
     */
    ExportRoom unchecked(boolean isRun) {
        return new ExportRoom(stored, isRun ? session : 0, 0, largest);
    }

    /**
     * Refuses what would not fit this machine.
     *
     * @param model what the user calls it
     */
    void require(String model, Path out) throws IOException {
        require(model, AvailableMemory.bytes(), usableSpace(out));
    }

    /** The same on a machine with so much left. */
    void require(String model, long memory, long disk) {
        if (session + compared > memory) {
            throw new UserError(model + " takes about " + bytes(session + compared) + " of memory to export, "
                    + bytes(session) + " for ONNX Runtime"
                    + (compared == 0 ? "" : " and " + bytes(compared) + " for libtorch, with which it is compared")
                    + ", and " + bytes(memory)
                    + " are left: choose a smaller model, --precision int8 or int4, or a machine with more memory");
        }
        requireDisk(model, disk);
        if (largest > Integer.MAX_VALUE) {
            throw new UserError(model + " has a tensor of " + bytes(largest)
                    + ", more than the 2 GiB that one may have here: choose --precision int8 or int4");
        }
    }

    /** Refuses what would not fit the disk. */
    void requireDisk(String model, Path out) throws IOException {
        requireDisk(model, usableSpace(out));
    }

    private void requireDisk(String model, long disk) {
        if (stored > disk) {
            throw new UserError("--out has " + bytes(disk) + " left on its disk and " + model + " takes "
                    + bytes(stored) + ": choose another place or a smaller model");
        }
    }

    private static String bytes(long bytes) {
        return PresetsCommand.quantity((double) bytes, "B");
    }

    /** What the disk of a folder, which need not exist yet, has left. */
    static long usableSpace(Path out) throws IOException {
        Path folder = out.toAbsolutePath().normalize();
        while (folder.getParent() != null && !Files.exists(folder)) {
            folder = folder.getParent();
        }
        return Files.getFileStore(folder).getUsableSpace();
    }
}
