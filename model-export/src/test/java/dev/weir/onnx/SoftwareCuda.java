package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;

/**
 * GPUs that the CPU plays: CUDA's functions, as C calls them, over memory of the host, beside ONNX Runtime's provider for the CPU.
 * They are stricter than a GPU. What is copied to the host is there only once somebody has waited for it; copies must lie within
 * memory that was handed out, of the device that the thread has set; memory begins as garbage. Any thread.
 *
 * <p>They can be made to fail as a GPU does, and tell what was not given back.
 */
@SuppressWarnings({"restricted", "unused", "MustBeClosedChecker"}) // found by name; memory lives until it is given back
final class SoftwareCuda implements CudaPlatform, AutoCloseable {
    static final int SUCCESS = 0;
    static final int OUT_OF_MEMORY = 2;
    private static final int NO_DEVICE = 100;
    /** {@code cudaErrorIllegalAddress}, after which a process's device refuses everything. */
    static final int ILLEGAL_ADDRESS = 700;

    private static final int MISUSED = 999;
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong SIZE = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final String RANK = "rankLogits";
    private static final List<String> KERNELS = List.of(RANK, "sumWeights");
    private static final int HOST = -2;
    private static final byte GARBAGE = (byte) 0xFF;

    private final Arena arena = Arena.ofShared();
    private final long total;
    private final Map<String, MemorySegment> functions = new HashMap<>();
    private final Map<Integer, MemorySegment> texts = new HashMap<>();
    private final int devices;
    /** Each thread's current device; none at first, where CUDA has the first one. */
    private final ThreadLocal<Integer> current = ThreadLocal.withInitial(() -> -1);

    private final TreeMap<Long, Allocation> allocations = new TreeMap<>();
    private final Map<Long, Stream> streams = new HashMap<>();

    private final List<String> misuses = new ArrayList<>();
    /** By device, what its calls say; nothing if they succeed. */
    private final Map<Integer, Integer> failures = new HashMap<>();

    private boolean refusesGraphs;
    private int modules;
    private long handles;
    private long copied;

    /**
     * A piece of memory.
     *
     * @param device whose memory it is; {@link #HOST} of the host's
     */
    private record Allocation(MemorySegment memory, int device, Arena arena) {}

    /**
     * What is done in order.
     *
     * @param pending copies to the host that nobody has waited for
     */
    private record Stream(int device, Queue<Runnable> pending) {}

    /**
     * Some devices.
     *
     * @param total bytes of the memory of each
     */
    SoftwareCuda(int devices, long total) {
        this.devices = devices;
        this.total = total;
        function("cudaSetDevice", INT);
        function("cudaThreadExchangeStreamCaptureMode", POINTER);
        function("cudaMalloc", POINTER, SIZE);
        function("cudaMallocHost", POINTER, SIZE);
        function("cudaFree", POINTER);
        function("cudaFreeHost", POINTER);
        function("cudaMemGetInfo", POINTER, POINTER);
        function("cudaStreamCreateWithFlags", POINTER, INT);
        function("cudaStreamDestroy", POINTER);
        function("cudaMemsetAsync", POINTER, INT, SIZE, POINTER);
        function("cudaMemcpyAsync", POINTER, POINTER, SIZE, INT, POINTER);
        function("cudaStreamSynchronize", POINTER);
        function("cudaGetLastError");
        add("cudaGetErrorString", FunctionDescriptor.of(POINTER, INT));
        function("cuModuleLoadData", POINTER, POINTER);
        function("cuModuleGetFunction", POINTER, POINTER, POINTER);
        function("cuModuleUnload", POINTER);
        function("cuLaunchKernel", POINTER, INT, INT, INT, INT, INT, INT, INT, POINTER, POINTER, POINTER);
    }

    private void function(String name, MemoryLayout... arguments) {
        add(name, FunctionDescriptor.of(INT, arguments));
    }

    private void add(String name, FunctionDescriptor descriptor) {
        MethodType type = descriptor.toMethodType();
        try {
            MethodHandle handle = MethodHandles.lookup().bind(this, name, type);
            functions.put(name, Linker.nativeLinker().upcallStub(handle, descriptor, arena));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(name + " is not played", e);
        }
    }

    // ---- CudaPlatform

    @Override
    public void load(int device) {
        if (device >= devices) {
            throw new ModelLoadException("device is cuda:" + device + ", but there are " + devices);
        }
    }

    @Override
    public SymbolLookup runtime() {
        return name -> Optional.ofNullable(functions.get(name));
    }

    @Override
    public SymbolLookup driver() {
        return runtime();
    }

    @Override
    public String memoryName() {
        return "Cpu";
    }

    @Override
    public void addProvider(OrtApi ort, MemorySegment sessionOptions, CudaOptions options, MemorySegment stream)
            throws OrtException {
        if (refusesGraphs && options.graphs()) { // the provider for the CPU, which has none, is always there
            throw new OrtException("this graph cannot be captured");
        }
    }

    // ---- What a test asks for and looks at

    /** From now on all that may fail on a device does, until {@link #SUCCESS} is set; if it is gone also what gives back. */
    synchronized void fail(int device, int error) {
        failures.put(device, error);
    }

    /** From now on no session has CUDA graphs. */
    void refuseGraphs() {
        refusesGraphs = true;
    }

    /** What was done that a GPU would have punished, or not noticed. */
    synchronized List<String> misuses() {
        return List.copyOf(misuses);
    }

    /** Pieces of memory, streams and modules that were not given back. */
    synchronized int held() {
        return allocations.size() + streams.size() + modules;
    }

    /** What is held is no fault. */
    synchronized void forget() {
        allocations.values().forEach(allocation -> allocation.arena.close());
        allocations.clear();
        streams.clear();
        modules = 0;
    }

    synchronized long copiedBytes() {
        return copied;
    }

    private long used() {
        int device = current.get();
        return allocations.values().stream()
                .filter(allocation -> allocation.device == device)
                .mapToLong(allocation -> allocation.memory.byteSize())
                .sum();
    }

    @Override
    public synchronized void close() {
        forget();
        arena.close();
    }

    // ---- CUDA's functions. None throws, as C does not.

    private synchronized int call(boolean mayFail, IntSupplier function) {
        if (current.get() < 0) {
            return misuse("a thread has not set its device");
        }
        int failure = failures.getOrDefault(current.get(), SUCCESS);
        if (failure == ILLEGAL_ADDRESS || (mayFail && failure != SUCCESS)) {
            return failure;
        }
        try {
            return function.getAsInt();
        } catch (RuntimeException | Error e) {
            return misuse(String.valueOf(e));
        }
    }

    private int misuse(String what) {
        misuses.add(what);
        return MISUSED;
    }

    int cudaSetDevice(int device) {
        current.set(device);
        return device < devices ? SUCCESS : NO_DEVICE;
    }

    int cudaThreadExchangeStreamCaptureMode(MemorySegment mode) {
        return call(false, () -> SUCCESS);
    }

    int cudaMalloc(MemorySegment out, long bytes) {
        return call(true, () -> bytes > total - used() ? OUT_OF_MEMORY : allocate(out, bytes, current.get()));
    }

    int cudaMallocHost(MemorySegment out, long bytes) {
        return call(true, () -> allocate(out, bytes, HOST));
    }

    private int allocate(MemorySegment out, long bytes, int device) {
        Arena own = Arena.ofShared();
        MemorySegment memory = own.allocate(bytes, 256).fill(GARBAGE);
        allocations.put(memory.address(), new Allocation(memory, device, own));
        out.reinterpret(POINTER.byteSize()).set(POINTER, 0, memory);
        return SUCCESS;
    }

    int cudaFree(MemorySegment memory) {
        return call(false, () -> free(memory, current.get()));
    }

    int cudaFreeHost(MemorySegment memory) {
        return call(false, () -> free(memory, HOST));
    }

    private int free(MemorySegment memory, int device) {
        Allocation allocation = allocations.get(memory.address());
        if (allocation == null || allocation.device != device) {
            return misuse("what is given back was not handed out so");
        }
        int own = current.get();
        if (streams.values().stream().anyMatch(stream -> stream.device == own && !stream.pending.isEmpty())) {
            return misuse("memory is given back before its copies were waited for");
        }
        allocations.remove(memory.address());
        allocation.arena.close();
        return SUCCESS;
    }

    int cudaMemGetInfo(MemorySegment free, MemorySegment all) {
        return call(true, () -> {
            free.reinterpret(SIZE.byteSize()).set(SIZE, 0, total - used());
            all.reinterpret(SIZE.byteSize()).set(SIZE, 0, total);
            return SUCCESS;
        });
    }

    int cudaStreamCreateWithFlags(MemorySegment out, int flags) {
        return call(true, () -> {
            streams.put(++handles, new Stream(current.get(), new ArrayDeque<>()));
            out.reinterpret(POINTER.byteSize()).set(POINTER, 0, MemorySegment.ofAddress(handles));
            return SUCCESS;
        });
    }

    int cudaStreamDestroy(MemorySegment stream) {
        return call(false, () -> {
            return streams.remove(stream.address()) == null ? misuse("no such stream") : SUCCESS;
        });
    }

    int cudaMemsetAsync(MemorySegment memory, int value, long bytes, MemorySegment stream) {
        return call(true, () -> {
            within(memory, bytes).fill((byte) value);
            return SUCCESS;
        });
    }

    int cudaMemcpyAsync(MemorySegment to, MemorySegment from, long bytes, int kind, MemorySegment stream) {
        return call(true, () -> {
            MemorySegment source = within(from, bytes);
            MemorySegment target = within(to, bytes);
            copied += bytes;
            if (!isOfHost(to)) {
                target.copyFrom(source);
                return SUCCESS;
            }
            target.fill(GARBAGE); // until somebody waits
            byte[] now = source.toArray(ValueLayout.JAVA_BYTE);
            streams.get(stream.address()).pending.add(() -> target.copyFrom(MemorySegment.ofArray(now)));
            return SUCCESS;
        });
    }

    private boolean isOfHost(MemorySegment memory) {
        return allocations.floorEntry(memory.address()).getValue().device == HOST;
    }

    /** That piece of memory, which must lie in one that was handed out. */
    private MemorySegment within(MemorySegment memory, long bytes) {
        Map.Entry<Long, Allocation> entry = allocations.floorEntry(memory.address());
        if (entry == null) {
            throw new IllegalArgumentException("memory that was not handed out");
        }
        if (entry.getValue().device != HOST && entry.getValue().device != current.get()) {
            throw new IllegalArgumentException("memory of another device than the thread's");
        }
        return entry.getValue().memory.asSlice(memory.address() - entry.getKey(), bytes);
    }

    int cudaStreamSynchronize(MemorySegment stream) {
        return call(true, () -> {
            Runnable copy;
            while ((copy = streams.get(stream.address()).pending.poll()) != null) {
                copy.run();
            }
            return SUCCESS;
        });
    }

    int cudaGetLastError() {
        return SUCCESS;
    }

    synchronized MemorySegment cudaGetErrorString(int error) {
        return texts.computeIfAbsent(
                error,
                _ -> arena.allocateFrom(
                        switch (error) {
                            case OUT_OF_MEMORY -> "out of memory";
                            case ILLEGAL_ADDRESS -> "an illegal memory access was encountered";
                            case MISUSED -> "misused: " + misuses;
                            default -> "error " + error;
                        }));
    }

    int cuModuleLoadData(MemorySegment out, MemorySegment ptx) {
        return call(true, () -> {
            modules++;
            String text = ptx.reinterpret(Long.MAX_VALUE).getString(0);
            out.reinterpret(POINTER.byteSize()).set(POINTER, 0, MemorySegment.ofAddress(1));
            return text.contains(".version") ? SUCCESS : misuse("no PTX");
        });
    }

    int cuModuleGetFunction(MemorySegment out, MemorySegment module, MemorySegment name) {
        return call(true, () -> {
            int kernel = KERNELS.indexOf(name.reinterpret(Long.MAX_VALUE).getString(0));
            out.reinterpret(POINTER.byteSize()).set(POINTER, 0, MemorySegment.ofAddress(kernel + 1L));
            return kernel < 0 ? misuse("there is no such kernel") : SUCCESS;
        });
    }

    int cuModuleUnload(MemorySegment module) {
        return call(false, () -> {
            modules--;
            return SUCCESS;
        });
    }

    int cuLaunchKernel(
            MemorySegment function,
            int blocks,
            int blocksY,
            int blocksZ,
            int threads,
            int threadsY,
            int threadsZ,
            int sharedBytes,
            MemorySegment stream,
            MemorySegment arguments,
            MemorySegment extra) {
        return call(true, () -> {
            MemorySegment pointers = arguments.reinterpret(8 * POINTER.byteSize());
            if (function.address() == 1 + KERNELS.indexOf(RANK)) {
                rankLogits(blocks, pointers);
            } else {
                sumWeights(blocks, pointers);
            }
            return SUCCESS;
        });
    }

    /** What the kernel of that name does, one block for each row: a row's largest, of equal ones the first. */
    private void rankLogits(int rows, MemorySegment arguments) {
        MemorySegment logits = pointer(arguments, 0);
        int vocabulary = argument(arguments, 1, INT.byteSize()).get(INT, 0);
        long stride = argument(arguments, 2, SIZE.byteSize()).get(SIZE, 0);
        int ranked = argument(arguments, 3, INT.byteSize()).get(INT, 0);
        MemorySegment all = within(logits, rows * stride * Float.BYTES);
        MemorySegment scores = within(pointer(arguments, 4), (long) rows * ranked * Float.BYTES);
        MemorySegment ids = within(pointer(arguments, 5), (long) rows * ranked * Integer.BYTES);
        for (int row = 0; row < rows; row++) {
            float[] values = new float[vocabulary];
            MemorySegment.copy(all, FLOAT, row * stride * Float.BYTES, values, 0, vocabulary);
            int[] order = IntStream.range(0, vocabulary)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer id) -> -values[id]))
                    .limit(ranked)
                    .mapToInt(Integer::intValue)
                    .toArray();
            for (int rank = 0; rank < ranked; rank++) {
                scores.setAtIndex(FLOAT, (long) row * ranked + rank, values[order[rank]]);
                ids.setAtIndex(INT, (long) row * ranked + rank, order[rank]);
            }
        }
    }

    /** The same of that kernel, one block for each row that is asked for. */
    private void sumWeights(int count, MemorySegment arguments) {
        MemorySegment logits = pointer(arguments, 0);
        int vocabulary = argument(arguments, 1, INT.byteSize()).get(INT, 0);
        long stride = argument(arguments, 2, SIZE.byteSize()).get(SIZE, 0);
        int ranked = argument(arguments, 4, INT.byteSize()).get(INT, 0);
        MemorySegment rows = within(pointer(arguments, 5), (long) count * Integer.BYTES);
        MemorySegment inverses = within(pointer(arguments, 6), (long) count * Float.BYTES);
        MemorySegment sums = within(pointer(arguments, 7), (long) count * Float.BYTES);
        for (int i = 0; i < count; i++) {
            long row = rows.getAtIndex(INT, i);
            float[] values = new float[vocabulary];
            MemorySegment all = within(logits, (row + 1) * stride * Float.BYTES);
            MemorySegment.copy(all, FLOAT, row * stride * Float.BYTES, values, 0, vocabulary);
            MemorySegment largest = within(pointer(arguments, 3), (row + 1) * ranked * Float.BYTES);
            double sum = 0; // which the kernel has less need of, adding up pieces of pieces
            for (float value : values) {
                float difference = value - largest.getAtIndex(FLOAT, row * ranked);
                sum += Math.exp(difference * inverses.getAtIndex(FLOAT, i));
            }
            sums.setAtIndex(FLOAT, i, (float) sum);
        }
    }

    private static MemorySegment pointer(MemorySegment arguments, int index) {
        return argument(arguments, index, POINTER.byteSize()).get(POINTER, 0);
    }

    private static MemorySegment argument(MemorySegment arguments, int index, long bytes) {
        return arguments.getAtIndex(POINTER, index).reinterpret(bytes);
    }
}
