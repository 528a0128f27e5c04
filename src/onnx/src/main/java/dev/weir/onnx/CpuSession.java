package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import dev.weir.engine.StepInterruptedException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * A graph in ONNX Runtime on the CPU, whose inputs and outputs lie in memory of the caller. Used by one thread at a time; what
 * it handed out goes with it.
 *
 * <p>By the C API, as the official Java API leaves some kilobytes of garbage for each run and hides the inputs that need not be
 * given.
 */
final class CpuSession implements AutoCloseable {
    /**
     * How long a thread waits in a loop for more to do: longer than the gap between two steps of a few rows, so that none wakes it in
     * each; shorter than it takes to choose the tokens of many, for which others want the cores; and by far
     * shorter than the default of about 20 ms, in which a server that is nearly idle would burn them all.
     */
    private static final String SPIN_MICROS = "200";

    /** ONNX Runtime's warnings are for who makes a graph; one with room for adapters gives a line for each of their inputs. */
    private static final int LOG_ERRORS = 3;

    private static final AddressLayout POINTER = ValueLayout.ADDRESS;

    private final OrtApi ort = OrtApi.get();
    private final Arena arena = Arena.ofShared();
    /** What to undo at the end, last first. */
    private final Deque<Runnable> undo = new ArrayDeque<>();

    private final Map<String, MemorySegment> names = new HashMap<>();
    private final MemorySegment memory;
    private final MemorySegment session;
    private final MemorySegment runOptions;
    private final SequencedMap<String, TensorType> inputs;
    private final SequencedMap<String, TensorType> outputs;
    private final Set<String> optionalInputs;
    private volatile boolean isInterrupted;

    /**
     * Loads a graph.
     *
     * @param threads that compute, the calling one included
     * @throws ModelLoadException naming the file and what is wrong
     */
    static CpuSession open(ModelFolder folder, int threads) {
        if (folder.blockSize() > 0) {
            throw new ModelLoadException("the model " + folder.name() + " was exported for cuda ("
                    + ModelFolder.CONFIG_FILE
                    + " has engine.dynamic_batching, for paged attention), and this runs models "
                    + "on the CPU: run it with --device cuda, or export it again with --target cpu");
        }
        try {
            return new CpuSession(folder.modelFile(), threads);
        } catch (OrtException e) {
            throw new ModelLoadException(folder.modelFile() + " cannot be loaded: " + e.getMessage(), e);
        }
    }

    private CpuSession(Path file, int threads) throws OrtException {
        boolean isOpen = false;
        try {
            undo.push(arena::close);
            MemorySegment env = ort.createEnv(LOG_ERRORS, "weir");
            undo.push(() -> ort.releaseEnv(env));
            memory = ort.createMemoryInfo("Cpu", 0);
            undo.push(() -> ort.releaseMemoryInfo(memory));
            MemorySegment options = ort.createSessionOptions();
            undo.push(() -> ort.releaseSessionOptions(options));
            ort.setLogSeverity(options, LOG_ERRORS);
            ort.setIntraOpThreads(options, threads);
            // Nodes are shorter than the time that it takes to wake a thread, so threads wait for the next one in a
            // loop.
            ort.addSessionConfigEntry(options, "session.intra_op.allow_spinning", "1");
            ort.addSessionConfigEntry(options, "session.intra_op.spin_duration_us", SPIN_MICROS);
            if (Processor.overflowsInt8()) {
                ort.addSessionConfigEntry(options, "session.x64quantprecision", "1");
            }
            session = ort.createSession(env, file.toString(), options);
            undo.push(() -> ort.releaseSession(session));
            runOptions = ort.createRunOptions();
            undo.push(() -> ort.releaseRunOptions(runOptions));
            inputs = ort.sessionInputs(session);
            outputs = ort.sessionOutputs(session);
            optionalInputs = ort.sessionOptionalInputs(session).keySet();
            isOpen = true;
        } finally {
            if (!isOpen) {
                close();
            }
        }
    }

    /** Has all runs use a low-rank adapter, an {@code .onnx_adapter} file. */
    void activate(Path adapter) throws OrtException {
        MemorySegment loaded = ort.createLoraAdapter(adapter.toString());
        undo.push(() -> ort.releaseLoraAdapter(loaded));
        ort.addActiveLoraAdapter(runOptions, loaded);
    }

    /** Inputs that every run must be given. */
    SequencedMap<String, TensorType> inputs() {
        return inputs;
    }

    SequencedMap<String, TensorType> outputs() {
        return outputs;
    }

    /** Inputs that have a default. */
    Set<String> optionalInputs() {
        return optionalInputs;
    }

    /** A tensor over memory of the caller's, which is as large as its shape says. */
    MemorySegment tensor(MemorySegment memory, int element, long... dims) throws OrtException {
        MemorySegment tensor = ort.createTensor(this.memory, memory, memory.byteSize(), element, dims);
        undo.push(() -> ort.releaseValue(tensor));
        return tensor;
    }

    /** A run without inputs and outputs. */
    Run newRun() {
        return new Run();
    }

    /** Has the run that has started end before its next node. Any thread. */
    synchronized void interrupt() {
        isInterrupted = true;
        try {
            ort.setTerminate(runOptions);
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime does not stop a run: " + e.getMessage(), e);
        }
    }

    /** Lets runs run again; whether any was to end. */
    private synchronized boolean resume() throws OrtException {
        if (!isInterrupted) {
            return false;
        }
        isInterrupted = false;
        ort.unsetTerminate(runOptions);
        return true;
    }

    /** What a run reads and writes, all of it in tensors that are there before; it may be started again and again. */
    final class Run {
        private final Tensors read = new Tensors(inputs.size() + optionalInputs.size());
        private final Tensors written = new Tensors(outputs.size());

        private Run() {}

        /** Gives an input, in place of what it was before. */
        void input(String name, MemorySegment tensor) {
            read.put(name, tensor);
        }

        /** Has an output written, in place of where it was before. */
        void output(String name, MemorySegment tensor) {
            written.put(name, tensor);
        }

        /**
         * Computes all outputs that were given a tensor.
         *
         * @throws StepInterruptedException if it was {@linkplain #interrupt interrupted} before it had
         */
        void start() throws OrtException {
            if (isInterrupted) { // a run that was over by then
                resume();
            }
            try {
                ort.run(
                        session,
                        runOptions,
                        read.names,
                        read.tensors,
                        read.count,
                        written.names,
                        written.tensors,
                        written.count);
            } catch (OrtException e) {
                if (resume()) {
                    throw new StepInterruptedException();
                }
                throw e;
            }
        }
    }

    /** Tensors by name, as two arrays of C. */
    private final class Tensors {
        private final Map<String, Integer> places = new HashMap<>();
        private final MemorySegment names;
        private final MemorySegment tensors;
        private int count;

        Tensors(int most) {
            names = arena.allocate(POINTER, Math.max(1, most));
            tensors = arena.allocate(POINTER, Math.max(1, most));
        }

        void put(String name, MemorySegment tensor) {
            Integer place = places.get(name);
            if (place == null) {
                place = count++;
                places.put(name, place);
                names.setAtIndex(POINTER, place, CpuSession.this.names.computeIfAbsent(name, arena::allocateFrom));
            }
            tensors.setAtIndex(POINTER, place, tensor);
        }
    }

    @Override
    public void close() {
        while (!undo.isEmpty()) {
            undo.pop().run();
        }
    }
}
