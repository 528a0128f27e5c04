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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * ONNX Runtime's C API, as far as sessions need it: the official Java API cannot bind tensors on a device, hides inputs
 * that need not be given, and leaves garbage for each run. It
 * calls the very library that the Java API has loaded. Each method here is the function of the same name in {@code
 * onnxruntime_c_api.h}, found by its place in the structure {@code OrtApi}, to which releases only ever append.
 *
 * <p>A function that does not return {@code NULL} has failed; its status becomes an {@link OrtException} with its code and
 * message, and is released. Stateless; any thread, as far as the functions themselves allow.
 */
@SuppressWarnings("restricted") // C functions, called with their own signatures
final class OrtApi {
    /** Of the structure that is asked for: later releases still give it. */
    private static final int VERSION = 28;
    /** Functions of that structure. */
    private static final int FUNCTIONS = 424;

    /** {@code OrtAllocatorType.OrtDeviceAllocator}, whose memory is at an address that does not change. */
    private static final int DEVICE_ALLOCATOR = 0;

    private static final int MEMORY_TYPE_DEFAULT = 0;

    private static final ValueLayout.OfLong SIZE = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;

    private static final Linker LINKER = Linker.nativeLinker();

    private final MemorySegment functions;
    private final MethodHandle getErrorCode;
    private final MethodHandle getErrorMessage;
    private final MethodHandle releaseStatus;
    private final MethodHandle run;
    private final MethodHandle createTensorWithData;
    private final MethodHandle bindInput;
    private final MethodHandle bindOutput;
    private final MethodHandle runWithBinding;
    private final MethodHandle releaseValue;

    private OrtApi(MemorySegment functions) {
        this.functions = functions;
        getErrorCode = LINKER.downcallHandle(address(1), FunctionDescriptor.of(INT, POINTER));
        getErrorMessage = LINKER.downcallHandle(address(2), FunctionDescriptor.of(POINTER, POINTER));
        releaseStatus = LINKER.downcallHandle(address(93), FunctionDescriptor.ofVoid(POINTER));
        run = function(9, POINTER, POINTER, POINTER, POINTER, SIZE, POINTER, SIZE, POINTER);
        createTensorWithData = function(49, POINTER, POINTER, SIZE, POINTER, SIZE, INT, POINTER);
        bindInput = function(136, POINTER, POINTER, POINTER);
        bindOutput = function(137, POINTER, POINTER, POINTER);
        runWithBinding = function(133, POINTER, POINTER, POINTER);
        releaseValue = LINKER.downcallHandle(address(96), FunctionDescriptor.ofVoid(POINTER));
    }

    /**
     * The API of the library that the Java API has loaded.
     *
     * @throws ModelLoadException if it has loaded none, or an older one
     */
    static OrtApi get() {
        OnnxRuntime.environment();
        MemorySegment getBase = SymbolLookup.loaderLookup()
                .find("OrtGetApiBase")
                .orElseThrow(() -> new ModelLoadException("ONNX Runtime's library has no OrtGetApiBase: use the "
                        + "official onnxruntime or onnxruntime_gpu from Maven"));
        try {
            MemorySegment base = (MemorySegment) LINKER.downcallHandle(getBase, FunctionDescriptor.of(POINTER))
                    .invokeExact();
            // struct OrtApiBase { const OrtApi* (*GetApi)(uint32_t version); const char* (*GetVersionString)(void); }
            MemorySegment getApi = base.reinterpret(2 * POINTER.byteSize()).get(POINTER, 0);
            MemorySegment api = (MemorySegment) LINKER.downcallHandle(getApi, FunctionDescriptor.of(POINTER, INT))
                    .invokeExact(VERSION);
            if (api.address() == 0) {
                throw new ModelLoadException(
                        "ONNX Runtime is older than 1." + VERSION + ": use 1." + VERSION + " or later");
            }
            return new OrtApi(api.reinterpret(FUNCTIONS * POINTER.byteSize()));
        } catch (ModelLoadException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("OrtGetApiBase does not throw", e);
        }
    }

    // ---- Environment, options, session

    MemorySegment createEnv(int logLevel, String id) throws OrtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            call(function(3, INT, POINTER, POINTER), logLevel, arena.allocateFrom(id), out);
            return out.get(POINTER, 0);
        }
    }

    MemorySegment createSessionOptions() throws OrtException {
        return created(function(10, POINTER));
    }

    /** Plans of memory are kept for each shape that ever was, and a server's are without end. */
    void disableMemPattern(MemorySegment options) throws OrtException {
        call(function(17, POINTER), options);
    }

    void addSessionConfigEntry(MemorySegment options, String key, String value) throws OrtException {
        callWithTexts(function(130, POINTER, POINTER, POINTER), options, key, value);
    }

    /** {@code SetIntraOpNumThreads}: the calling thread is one of them. */
    void setIntraOpThreads(MemorySegment options, int threads) throws OrtException {
        call(function(24, POINTER, INT), options, threads);
    }

    /** {@code SetSessionLogSeverityLevel}. */
    void setLogSeverity(MemorySegment options, int level) throws OrtException {
        call(function(22, POINTER, INT), options, level);
    }

    /** Appends the CUDA provider with these options and, unless it is NULL, a stream of one's own. */
    void appendCudaProvider(MemorySegment sessionOptions, Map<String, String> options, MemorySegment stream)
            throws OrtException {
        MemorySegment cuda = created(function(205, POINTER)); // CreateCUDAProviderOptions
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment keys = arena.allocate(POINTER, options.size());
            MemorySegment values = arena.allocate(POINTER, options.size());
            int i = 0;
            for (Map.Entry<String, String> option : options.entrySet()) {
                keys.setAtIndex(POINTER, i, arena.allocateFrom(option.getKey()));
                values.setAtIndex(POINTER, i, arena.allocateFrom(option.getValue()));
                i++;
            }
            // UpdateCUDAProviderOptions
            call(function(206, POINTER, POINTER, POINTER, SIZE), cuda, keys, values, (long) i);
            if (stream.address() != 0) { // UpdateCUDAProviderOptionsWithValue
                call(function(263, POINTER, POINTER, POINTER), cuda, arena.allocateFrom("user_compute_stream"), stream);
            }
            // SessionOptionsAppendExecutionProvider_CUDA_V2
            call(function(204, POINTER, POINTER), sessionOptions, cuda);
        } finally {
            release(208, cuda);
        }
    }

    MemorySegment createSession(MemorySegment env, String path, MemorySegment options) throws OrtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            call(function(7, POINTER, POINTER, POINTER, POINTER), env, arena.allocateFrom(path), options, out);
            return out.get(POINTER, 0);
        }
    }

    /** The session's inputs in order, each with its element type and dimensions. */
    SequencedMap<String, TensorType> sessionInputs(MemorySegment session) throws OrtException {
        return nodes(session, 30, 36, 33); // SessionGetInputCount, SessionGetInputName, SessionGetInputTypeInfo
    }

    /** The same of its outputs. */
    SequencedMap<String, TensorType> sessionOutputs(MemorySegment session) throws OrtException {
        return nodes(session, 31, 37, 34); // SessionGetOutputCount, SessionGetOutputName, SessionGetOutputTypeInfo
    }

    /** The inputs that need not be given. */
    SequencedMap<String, TensorType> sessionOptionalInputs(MemorySegment session) throws OrtException {
        // SessionGetOverridableInitializerCount, ..Name, ..TypeInfo
        return nodes(session, 32, 38, 35);
    }

    private SequencedMap<String, TensorType> nodes(MemorySegment session, int count, int name, int type)
            throws OrtException {
        SequencedMap<String, TensorType> nodes = new LinkedHashMap<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(SIZE);
            call(function(count, POINTER, POINTER), session, size);
            MemorySegment allocator = created(function(78, POINTER)); // GetAllocatorWithDefaultOptions
            for (long i = 0; i < size.get(SIZE, 0); i++) {
                MemorySegment out = arena.allocate(POINTER);
                call(function(name, POINTER, SIZE, POINTER, POINTER), session, i, allocator, out);
                MemorySegment text = out.get(POINTER, 0);
                String own = text.reinterpret(Long.MAX_VALUE).getString(0);
                call(function(76, POINTER, POINTER), allocator, text); // AllocatorFree
                call(function(type, POINTER, SIZE, POINTER), session, i, out);
                MemorySegment info = out.get(POINTER, 0);
                try {
                    nodes.put(own, tensorType(info, arena));
                } finally {
                    release(98, info); // ReleaseTypeInfo
                }
            }
        }
        return nodes;
    }

    private TensorType tensorType(MemorySegment info, Arena arena) throws OrtException {
        MemorySegment out = arena.allocate(POINTER);
        MemorySegment number = arena.allocate(SIZE);
        call(function(55, POINTER, POINTER), info, out); // CastTypeInfoToTensorInfo
        MemorySegment tensor = out.get(POINTER, 0);
        call(function(60, POINTER, POINTER), tensor, number); // GetTensorElementType
        int element = number.get(INT, 0);
        call(function(61, POINTER, POINTER), tensor, number); // GetDimensionsCount
        long rank = number.get(SIZE, 0);
        MemorySegment dims = arena.allocate(SIZE, Math.max(1, rank));
        call(function(62, POINTER, POINTER, SIZE), tensor, dims, rank); // GetDimensions
        return new TensorType(element, dims.asSlice(0, rank * SIZE.byteSize()).toArray(SIZE));
    }

    void releaseEnv(MemorySegment env) {
        release(92, env);
    }

    void releaseSession(MemorySegment session) {
        release(95, session);
    }

    void releaseSessionOptions(MemorySegment options) {
        release(100, options);
    }

    // ---- Tensors

    MemorySegment createMemoryInfo(String name, int device) throws OrtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            call(
                    function(68, POINTER, INT, INT, INT, POINTER),
                    arena.allocateFrom(name),
                    DEVICE_ALLOCATOR,
                    device,
                    MEMORY_TYPE_DEFAULT,
                    out);
            return out.get(POINTER, 0);
        }
    }

    void releaseMemoryInfo(MemorySegment info) {
        release(94, info);
    }

    /**
     * {@code CreateTensorWithDataAsOrtValue}: a tensor over memory that stays the caller's.
     *
     * @param type a number of {@code ONNXTensorElementDataType}
     */
    MemorySegment createTensor(MemorySegment info, MemorySegment data, long bytes, int type, long... shape)
            throws OrtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            MemorySegment dims = arena.allocateFrom(SIZE, shape);
            check((MemorySegment)
                    createTensorWithData.invokeExact(info, data, bytes, dims, (long) shape.length, type, out));
            return out.get(POINTER, 0);
        } catch (OrtException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
    }

    void releaseValue(MemorySegment value) {
        release(releaseValue, value);
    }

    // ---- Runs

    MemorySegment createRunOptions() throws OrtException {
        return created(function(39, POINTER));
    }

    /** {@code RunOptionsSetTerminate}: the run that has these options fails before its next node, as does each after it. */
    void setTerminate(MemorySegment runOptions) throws OrtException {
        call(function(46, POINTER), runOptions);
    }

    /** {@code RunOptionsUnsetTerminate}. */
    void unsetTerminate(MemorySegment runOptions) throws OrtException {
        call(function(47, POINTER), runOptions);
    }

    void addRunConfigEntry(MemorySegment runOptions, String key, String value) throws OrtException {
        callWithTexts(function(165, POINTER, POINTER, POINTER), runOptions, key, value);
    }

    void releaseRunOptions(MemorySegment runOptions) {
        release(97, runOptions);
    }

    /** Reads a low-rank adapter, which the runs that have it active take their further inputs from. */
    MemorySegment createLoraAdapter(String path) throws OrtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            call(function(280, POINTER, POINTER, POINTER), arena.allocateFrom(path), MemorySegment.NULL, out);
            return out.get(POINTER, 0);
        }
    }

    /** {@code RunOptionsAddActiveLoraAdapter}. */
    void addActiveLoraAdapter(MemorySegment runOptions, MemorySegment adapter) throws OrtException {
        call(function(283, POINTER, POINTER), runOptions, adapter);
    }

    void releaseLoraAdapter(MemorySegment adapter) {
        release(282, adapter);
    }

    /** A run with as many inputs and outputs; names are C strings, and the outputs are written into the tensors given. */
    void run(
            MemorySegment session,
            MemorySegment runOptions,
            MemorySegment inputNames,
            MemorySegment inputs,
            long inputCount,
            MemorySegment outputNames,
            MemorySegment outputs,
            long outputCount)
            throws OrtException {
        MemorySegment status;
        try {
            status = (MemorySegment) run.invokeExact(
                    session, runOptions, inputNames, inputs, inputCount, outputNames, outputCount, outputs);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        check(status);
    }

    MemorySegment createIoBinding(MemorySegment session) throws OrtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            call(function(134, POINTER, POINTER), session, out);
            return out.get(POINTER, 0);
        }
    }

    /** Binds a tensor to the name, a C string; the binding keeps it alive and copies the name. */
    void bindInput(MemorySegment binding, MemorySegment name, MemorySegment value) throws OrtException {
        call(bindInput, binding, name, value);
    }

    /** The same of an output. */
    void bindOutput(MemorySegment binding, MemorySegment name, MemorySegment value) throws OrtException {
        call(bindOutput, binding, name, value);
    }

    void runWithBinding(MemorySegment session, MemorySegment runOptions, MemorySegment binding) throws OrtException {
        call(runWithBinding, session, runOptions, binding);
    }

    void releaseIoBinding(MemorySegment binding) {
        release(135, binding);
    }

    // ---- How a call is made

    private MemorySegment address(int place) {
        return functions.getAtIndex(POINTER, place);
    }

    private MethodHandle function(int place, MemoryLayout... arguments) {
        return LINKER.downcallHandle(address(place), FunctionDescriptor.of(POINTER, arguments));
    }

    private MemorySegment created(MethodHandle create) throws OrtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            call(create, out);
            return out.get(POINTER, 0);
        }
    }

    private void callWithTexts(MethodHandle function, MemorySegment object, String key, String value)
            throws OrtException {
        try (Arena arena = Arena.ofConfined()) {
            call(function, object, arena.allocateFrom(key), arena.allocateFrom(value));
        }
    }

    /** For three pointers, as in every step. */
    private void call(MethodHandle function, MemorySegment first, MemorySegment second, MemorySegment third)
            throws OrtException {
        MemorySegment status;
        try {
            status = (MemorySegment) function.invokeExact(first, second, third);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        check(status);
    }

    /** For anything else. */
    private void call(MethodHandle function, Object... arguments) throws OrtException {
        MemorySegment status;
        try {
            status = (MemorySegment) function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        check(status);
    }

    private void check(MemorySegment status) throws OrtException {
        if (status.address() == 0) {
            return;
        }
        int code;
        String message;
        try {
            code = (int) getErrorCode.invokeExact(status);
            MemorySegment text = (MemorySegment) getErrorMessage.invokeExact(status);
            message = text.reinterpret(Long.MAX_VALUE).getString(0);
            releaseStatus.invokeExact(status);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        throw new OrtException(code, message);
    }

    private void release(int place, MemorySegment object) {
        release(LINKER.downcallHandle(address(place), FunctionDescriptor.ofVoid(POINTER)), object);
    }

    private static void release(MethodHandle function, MemorySegment object) {
        try {
            function.invokeExact(object);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
    }
}
