package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A graph in ONNX Runtime's CUDA provider, whose inputs and outputs lie in memory of the device that this class hands out. It
 * computes in a stream of its own, in which copies are in order with runs. Used by one thread at a time; what it handed out
 * goes with it.
 */
final class CudaSession implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(CudaSession.class.getName());

    private static final int LOG_ERRORS = 3;
    /** The id of a run that no CUDA graph is recorded of. */
    private static final int NO_GRAPH = -1;
    /** The session that a thread has used last. */
    private static final ThreadLocal<CudaSession> LATEST = new ThreadLocal<>();

    private final OrtApi ort;
    private final CudaRuntime cuda;
    private final SymbolLookup driver;
    private final int device;
    /** What to undo at the end, last first. */
    private final Deque<Runnable> undo = new ArrayDeque<>();

    private final Arena arena = Arena.ofShared();
    private final Map<String, MemorySegment> names = new HashMap<>();
    private final MemorySegment stream;
    private final MemorySegment deviceMemory;
    private final MemorySegment hostMemory;
    private final MemorySegment session;
    private final MemorySegment plainRun;
    private final boolean hasGraphs;
    private final SequencedMap<String, TensorType> inputs;
    private final SequencedMap<String, TensorType> outputs;

    /**
     * Loads a graph.
     *
     * @throws ModelLoadException if there is no GPU, a library of NVIDIA's is missing, or the graph is not for CUDA
     */
    static CudaSession open(ModelFolder folder, CudaOptions options, CudaPlatform platform) {
        platform.load(options.device());
        OrtApi ort = OrtApi.get();
        try {
            return new CudaSession(ort, platform, folder, options);
        } catch (IllegalStateException e) {
            throw new ModelLoadException(
                    "device is cuda:" + options.device() + ", but " + e.getMessage()
                            + "; nvidia-smi lists the devices that there are",
                    e);
        } catch (OrtException e) {
            if (!options.graphs()) {
                throw new ModelLoadException(folder.modelFile() + " cannot be loaded on CUDA: " + e.getMessage(), e);
            }
            // As for a graph of which some node runs on the CPU.
            LOG.log(
                    System.Logger.Level.WARNING,
                    "decoding is not replayed from CUDA graphs, and slower: {0}",
                    e.getMessage());
            return open(folder, options.withGraphs(false), platform);
        }
    }

    /** Whether runs can be recorded and replayed. */
    boolean hasGraphs() {
        return hasGraphs;
    }

    private CudaSession(OrtApi ort, CudaPlatform platform, ModelFolder folder, CudaOptions options)
            throws OrtException {
        this.ort = ort;
        driver = platform.driver();
        cuda = new CudaRuntime(platform.runtime());
        device = options.device();
        use();
        boolean isOpen = false;
        try {
            undo.push(arena::close);
            stream = cuda.streamCreate();
            undo.push(() -> cuda.streamDestroy(stream));
            MemorySegment env = ort.createEnv(LOG_ERRORS, "weir");
            undo.push(() -> ort.releaseEnv(env));
            deviceMemory = ort.createMemoryInfo(platform.memoryName(), device);
            undo.push(() -> ort.releaseMemoryInfo(deviceMemory));
            hostMemory = ort.createMemoryInfo("Cpu", 0);
            undo.push(() -> ort.releaseMemoryInfo(hostMemory));
            MemorySegment sessionOptions = ort.createSessionOptions();
            undo.push(() -> ort.releaseSessionOptions(sessionOptions));
            ort.disableMemPattern(sessionOptions);
            // A bias fused into a product costs a product more than the bias by itself.
            ort.addSessionConfigEntry(sessionOptions, "optimization.disable_specified_optimizers", "MatMulAddFusion");
            platform.addProvider(ort, sessionOptions, options, stream);
            session = ort.createSession(env, folder.modelFile().toString(), sessionOptions);
            undo.push(() -> ort.releaseSession(session));
            inputs = ort.sessionInputs(session);
            outputs = ort.sessionOutputs(session);
            hasGraphs = options.graphs();
            plainRun = runOptions(NO_GRAPH);
            isOpen = true;
        } finally {
            if (!isOpen) {
                close();
            }
        }
    }

    SequencedMap<String, TensorType> inputs() {
        return inputs;
    }

    SequencedMap<String, TensorType> outputs() {
        return outputs;
    }

    CudaRuntime.Memory memory() {
        return cuda.memGetInfo();
    }

    /** How much was handed out so far, for {@link #releaseSince}. */
    int mark() {
        return undo.size();
    }

    /** Takes back what was handed out since then: memory, bindings, kernels and tensors that were kept. */
    void releaseSince(int mark) {
        await();
        while (undo.size() > mark) {
            undo.pop().run();
        }
    }

    /** Memory of the host that goes with the session. */
    Arena arena() {
        return arena;
    }

    /** Zeroed memory of the device. */
    MemorySegment onDevice(long bytes) {
        MemorySegment memory = cuda.malloc(bytes);
        undo.push(() -> cuda.free(memory));
        cuda.memsetAsync(memory, bytes, stream);
        return memory;
    }

    /** Memory of the host that is copied to and from the device without a detour. */
    MemorySegment pinned(long bytes) {
        MemorySegment memory = cuda.mallocHost(bytes);
        undo.push(() -> cuda.freeHost(memory));
        return memory;
    }

    /** A kernel of this project's own, which goes with the session. */
    CudaKernel kernel(String resource, String name) {
        CudaKernel kernel = CudaKernel.load(driver, resource, name);
        undo.push(kernel::close);
        return kernel;
    }

    /**
     * A kernel's arguments as it is given them: pointers to each.
     *
     * @param values memory of the device, or numbers
     */
    MemorySegment arguments(Object... values) {
        MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, values.length);
        for (int i = 0; i < values.length; i++) {
            MemorySegment value = switch (values[i]) {
                case MemorySegment memory -> arena.allocateFrom(ValueLayout.ADDRESS, memory);
                case Integer number -> arena.allocateFrom(ValueLayout.JAVA_INT, number);
                case Long number -> arena.allocateFrom(ValueLayout.JAVA_LONG, number);
                default -> throw new IllegalArgumentException("no kernel takes " + values[i]);
            };
            pointers.setAtIndex(ValueLayout.ADDRESS, i, value);
        }
        return pointers;
    }

    /** Starts a kernel in order with the runs. */
    void launch(CudaKernel kernel, int blocks, int threads, MemorySegment arguments) {
        kernel.launch(blocks, threads, stream, arguments);
    }

    /** Bytes that large copies within the device read and write a second, the median of some. */
    double copyBandwidth() {
        long bytes = 1L << 30;
        MemorySegment from = cuda.malloc(bytes);
        MemorySegment to = cuda.malloc(bytes);
        try {
            double[] speeds = new double[9];
            for (int i = 0; i < speeds.length; i++) {
                await();
                long start = System.nanoTime();
                for (int copy = 0; copy < 8; copy++) {
                    copy(to, from, bytes);
                }
                await();
                speeds[i] = 8 * 2e9 * bytes / (System.nanoTime() - start);
            }
            Arrays.sort(speeds);
            return speeds[speeds.length / 2];
        } finally {
            cuda.free(from);
            cuda.free(to);
        }
    }

    /** Copies in order with the runs; what goes to or comes from the host must be {@link #pinned}. */
    void copy(MemorySegment to, MemorySegment from, long bytes) {
        cuda.memcpyAsync(to, from, bytes, stream);
    }

    /** Waits for all runs and copies so far. */
    void await() {
        cuda.streamSynchronize(stream);
    }

    /** Before other calls in a thread: CUDA's current device is a thread's own, and a thread may have sessions on several. */
    void use() {
        if (LATEST.get() != this) {
            cuda.setDevice(device);
            cuda.ignoreOthersCaptures();
            LATEST.set(this);
        }
    }

    /** A tensor over memory of the device; {@link #release} it. */
    MemorySegment tensor(MemorySegment memory, long bytes, int type, long... shape) throws OrtException {
        return ort.createTensor(deviceMemory, memory, bytes, type, shape);
    }

    /** A tensor over memory of the host, which operators read there. */
    MemorySegment hostTensor(MemorySegment memory, int type, long... shape) throws OrtException {
        return ort.createTensor(hostMemory, memory, memory.byteSize(), type, shape);
    }

    /** Has a tensor go with the session. */
    MemorySegment keep(MemorySegment tensor) {
        undo.push(() -> ort.releaseValue(tensor));
        return tensor;
    }

    void release(MemorySegment tensor) {
        ort.releaseValue(tensor);
    }

    /** Bindings of inputs and outputs, which go with the session. */
    MemorySegment binding() throws OrtException {
        MemorySegment binding = ort.createIoBinding(session);
        undo.push(() -> ort.releaseIoBinding(binding));
        return binding;
    }

    void bindInput(MemorySegment binding, String name, MemorySegment tensor) throws OrtException {
        ort.bindInput(binding, name(name), tensor);
    }

    void bindOutput(MemorySegment binding, String name, MemorySegment tensor) throws OrtException {
        ort.bindOutput(binding, name(name), tensor);
    }

    private MemorySegment name(String name) {
        return names.computeIfAbsent(name, arena::allocateFrom);
    }

    /** Options of runs that record or replay the CUDA graph of that id, which is above 0 and one binding's. */
    MemorySegment graphRun(int id) throws OrtException {
        return runOptions(id);
    }

    private MemorySegment runOptions(int graph) throws OrtException {
        MemorySegment options = ort.createRunOptions();
        undo.push(() -> ort.releaseRunOptions(options));
        // Copies that follow in the stream wait anyway.
        ort.addRunConfigEntry(options, "disable_synchronize_execution_providers", "1");
        if (hasGraphs) {
            ort.addRunConfigEntry(options, "gpu_graph_id", Integer.toString(graph));
        }
        return options;
    }

    /** Starts a run; what follows in the stream waits for it. */
    void run(MemorySegment binding) throws OrtException {
        ort.runWithBinding(session, plainRun, binding);
    }

    /** Starts a run with the {@link #graphRun} of its binding. */
    void run(MemorySegment binding, MemorySegment graphRun) throws OrtException {
        ort.runWithBinding(session, graphRun, binding);
    }

    @Override
    public void close() {
        undo.push(this::use);
        RuntimeException failure = null;
        while (!undo.isEmpty()) {
            try {
                undo.pop().run();
            } catch (RuntimeException e) { // a device that is gone fails all of them; the rest is still released
                if (failure == null) {
                    failure = e;
                }
            }
        }
        LATEST.remove();
        if (failure != null) {
            throw failure;
        }
    }
}
