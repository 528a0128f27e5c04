package dev.weir.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtLoraAdapter;
import ai.onnxruntime.OrtSession;
import dev.weir.engine.BufferLogits;
import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.PrefixPool;
import dev.weir.engine.StepPlan;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model on the CPU through ONNX Runtime, with the cache of its slots. Opened by one thread and then owned by the engine
 * thread.
 *
 * <p>A step is one run of the graph for all decode rows, one token each, and one for each prefill chunk. Attention
 * ({@code GroupQueryAttention}) reads and writes the cache in place, so the only memory that moves is a step's tokens on
 * the way in and its logits on the way out. Everything a decode run needs is made once per number of rows and kept.
 */
public final class OnnxModelRunner implements ModelRunner {
    /**
     * How long a thread waits in a loop for more to do: longer than the gap between two steps of a busy engine, and by far
     * shorter than the default of about 20 ms, in which a server that is nearly idle would burn all its cores.
     */
    private static final String SPIN_MICROS = "1000";

    private final OrtEnvironment environment = OnnxRuntime.environment();
    private final ModelFolder folder;
    /** Set again at the end of the constructor, once the model has been tried. */
    private ModelShape shape;

    private final ModelSignature signature;
    private final KvCacheSize cacheSize;
    private final PrefixCacheSize prefixCacheSize;
    private final int threads;

    private final Arena arena = Arena.ofShared();
    private final OrtSession session;
    private final @Nullable ActiveAdapter adapter;
    private final KvCache cache;

    // Decode: staging for one token per slot, and the runs by number of rows.
    private final LongBuffer decodeTokens;
    private final LongBuffer decodePositions;
    private final AttentionMask decodeMask;
    private final @Nullable DecodeRun[] decodeRuns;

    // Prefill: staging for one chunk, and the cache's tensors by slot.
    private final LongBuffer chunkTokens;
    private final LongBuffer chunkPositions;
    private final AttentionMask chunkMask;
    private final @Nullable List<OnnxTensor>[] slotTensors;

    /** {@code [slots + chunks, vocabulary]}; the first part belongs to decode rows. */
    private final FloatBuffer logits;

    private final int maxChunks;
    /** Logits of all tokens of one chunk, for graphs that cannot give the last ones alone. */
    private FloatBuffer chunkLogits = FloatBuffer.allocate(0);

    private long decodeNanos;
    private boolean closed;

    /** The bound inputs and outputs of a decode run for some number of rows. */
    private record DecodeRun(List<OnnxTensor> owned, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {}

    /** A low-rank adapter that every run has, in native memory. */
    private record ActiveAdapter(OrtLoraAdapter weights, OrtSession.RunOptions options) {
        static ActiveAdapter open(Path file) throws OrtException {
            OrtLoraAdapter weights = OrtLoraAdapter.create(file.toString());
            OrtSession.RunOptions options = new OrtSession.RunOptions();
            options.addActiveLoraAdapter(weights);
            return new ActiveAdapter(weights, options);
        }

        void close() {
            options.close();
            weights.close();
        }
    }

    /**
     * Loads a model and reserves its cache.
     *
     * @throws ModelLoadException naming the file, field or setting that is at fault, and a value that would do
     */
    public static OnnxModelRunner open(ModelFolder folder, RunnerOptions options) {
        return open(folder, options, null);
    }

    /**
     * Loads a model with a low-rank adapter, an {@code .onnx_adapter} file, that all sequences have; without one if that is null.
     *
     * @throws ModelLoadException naming the file, field or setting that is at fault, and a value that would do
     */
    public static OnnxModelRunner open(ModelFolder folder, RunnerOptions options, @Nullable Path adapter) {
        int threads = options.threads() == 0 ? Processor.physicalCores() : options.threads();
        OrtSession session = openSession(folder, threads);
        @Nullable ActiveAdapter active = null;
        try {
            active = adapter == null ? null : openAdapter(adapter);
            return new OnnxModelRunner(folder, options, threads, session, active);
        } catch (OrtException e) {
            closeQuietly(session, active, e);
            throw new ModelLoadException(folder.modelFile() + " cannot be used: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            closeQuietly(session, active, e);
            throw e;
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of lists
    private OnnxModelRunner(
            ModelFolder folder, RunnerOptions options, int threads, OrtSession session, @Nullable ActiveAdapter adapter)
            throws OrtException {
        this.folder = folder;
        this.session = session;
        this.adapter = adapter;
        this.threads = threads;
        signature = ModelSignature.of(session, folder);
        int maxTokens = maxTokens(folder, options);
        KvCache.Shape cacheShape = new KvCache.Shape(
                folder.layers(), folder.kvHeads(), maxTokens, folder.headSize(), signature.cacheType());
        long available = AvailableMemory.bytes();
        cacheSize = KvCacheSize.plan(cacheShape.slotBytes(), cacheShape.arrays(), options, maxTokens, available);
        prefixCacheSize =
                PrefixCacheSize.plan(cacheShape.tokenBytes(), maxTokens, options, cacheSize.bytes(), available);
        int slots = cacheSize.slots();
        int vocabulary = folder.vocabularySize();
        // A step has no more chunks than it can have prompts, but a long prompt may have several in one step.
        maxChunks = Math.max(slots, 64);
        logits = floats((slots + maxChunks) * (long) vocabulary);
        cache = new KvCache(environment, cacheShape, slots, prefixCacheSize.blocks(), PrefixCacheSize.BLOCK_TOKENS);
        decodeTokens = longs(slots);
        decodePositions = longs(slots);
        decodeMask = new AttentionMask(slots, maxTokens);
        decodeRuns = new DecodeRun[slots + 1];
        chunkTokens = longs(maxTokens);
        chunkPositions = longs(maxTokens);
        chunkMask = new AttentionMask(1, maxTokens);
        slotTensors = new List[slots];
        ModelShape withoutPool = new ModelShape(vocabulary, slots, maxTokens, folder.eosTokenIds(), PrefixPool.NONE);
        shape = withoutPool;
        if (prefixCacheSize.blocks() > 0) {
            shape = withoutPool.withPrefixPool(new PrefixPool(
                    prefixCacheSize.blocks(), PrefixCacheSize.BLOCK_TOKENS, NumericsProbe.decodesLikePrefill(this)));
        }
    }

    /**
     * Whether what a sequence gets is the same to the last bit whatever is computed beside it, tried with a few tokens alone and
     * beside others. It leaves traces in the slots: to be called before the first step.
     */
    public boolean isBatchInvariant() {
        return NumericsProbe.isBatchInvariant(this);
    }

    private static ActiveAdapter openAdapter(Path file) {
        try {
            return ActiveAdapter.open(file);
        } catch (OrtException e) {
            throw new ModelLoadException(file + " is no adapter of ONNX Runtime: " + e.getMessage(), e);
        }
    }

    private void compute(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) throws OrtException {
        session.run(inputs, Set.of(), outputs, adapter == null ? null : adapter.options())
                .close();
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    /** How many slots the cache has and what they cost, for a line at start. */
    public KvCacheSize cacheSize() {
        return cacheSize;
    }

    /** How many blocks the prefix cache has and what they cost. */
    public PrefixCacheSize prefixCacheSize() {
        return prefixCacheSize;
    }

    /** Threads that compute, the calling one included. */
    public int threads() {
        return threads;
    }

    @Override
    public Logits run(StepPlan plan) {
        if (closed) {
            throw new IllegalStateException("the model " + folder.name() + " is closed");
        }
        StepPlanCheck.check(plan, shape, maxChunks);
        try {
            for (StepPlan.BlockCopy save : plan.saves()) {
                cache.save(save.slot(), save.start(), save.block());
            }
            for (StepPlan.SlotMove move : plan.moves()) {
                cache.move(move.from(), move.to(), move.tokens());
            }
            for (StepPlan.BlockCopy load : plan.loads()) {
                cache.load(load.block(), load.slot(), load.start());
            }
            List<PrefillChunk> chunks = plan.chunks();
            for (int i = 0; i < chunks.size(); i++) {
                prefill(chunks.get(i), shape.slots() + i);
            }
            decodeNanos = 0;
            if (plan.decodeRows() > 0) {
                long start = System.nanoTime();
                decode(plan);
                decodeNanos = System.nanoTime() - start;
            }
        } catch (OrtException e) {
            throw new IllegalStateException("the model " + folder.name() + " failed: " + e.getMessage(), e);
        }
        return new BufferLogits(logits, shape.vocabularySize());
    }

    @Override
    public long decodeNanos() {
        return decodeNanos;
    }

    private void decode(StepPlan plan) throws OrtException {
        int rows = plan.decodeRows();
        for (int row = 0; row < rows; row++) {
            decodeTokens.put(row, plan.token(row));
            decodePositions.put(row, plan.position(row));
            decodeMask.set(row, plan.position(row) + 1);
        }
        DecodeRun run = decodeRuns[rows];
        if (run == null) {
            run = decodeRun(rows);
            decodeRuns[rows] = run;
        }
        compute(run.inputs(), run.outputs());
    }

    private DecodeRun decodeRun(int rows) throws OrtException {
        long[] dims = {rows, 1};
        List<OnnxTensor> owned = cache.tensors(0, rows);
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Map<String, OnnxTensor> outputs = new HashMap<>();
        KvCache.bind(owned, folder.names(), inputs, outputs);
        OnnxTensor tokens = OnnxTensor.createTensor(environment, decodeTokens.slice(0, rows), dims);
        OnnxTensor positions = OnnxTensor.createTensor(environment, decodePositions.slice(0, rows), dims);
        OnnxTensor mask = decodeMask.tensor(environment, rows);
        OnnxTensor scores = logitsTensor(0, rows);
        bindTokens(tokens, positions, mask, inputs);
        outputs.put(folder.names().logits(), scores);
        owned.addAll(List.of(tokens, positions, mask, scores));
        return new DecodeRun(owned, inputs, outputs);
    }

    private void prefill(PrefillChunk chunk, int logitsRow) throws OrtException {
        int length = chunk.length();
        for (int i = 0; i < length; i++) {
            chunkTokens.put(i, chunk.tokens()[chunk.start() + i]);
            chunkPositions.put(i, chunk.start() + i);
        }
        chunkMask.set(0, chunk.start() + length);
        List<OnnxTensor> slot = slotTensors[chunk.slot()];
        if (slot == null) {
            slot = cache.tensors(chunk.slot(), 1);
            slotTensors[chunk.slot()] = slot;
        }
        long[] dims = {1, length};
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Map<String, OnnxTensor> outputs = new HashMap<>();
        KvCache.bind(slot, folder.names(), inputs, outputs);
        try (OnnxTensor tokens = OnnxTensor.createTensor(environment, chunkTokens.slice(0, length), dims);
                OnnxTensor positions = OnnxTensor.createTensor(environment, chunkPositions.slice(0, length), dims);
                OnnxTensor mask = chunkMask.tensor(environment, 1);
                OnnxTensor scores = signature.lastTokenOnly() ? logitsTensor(logitsRow, 1) : chunkLogits(length)) {
            bindTokens(tokens, positions, mask, inputs);
            outputs.put(folder.names().logits(), scores);
            compute(inputs, outputs);
        }
        if (!signature.lastTokenOnly()) {
            int vocabulary = shape.vocabularySize();
            logits.put(logitsRow * vocabulary, chunkLogits, (length - 1) * vocabulary, vocabulary);
        }
    }

    private void bindTokens(OnnxTensor tokens, OnnxTensor positions, OnnxTensor mask, Map<String, OnnxTensor> inputs) {
        inputs.put(folder.names().inputIds(), tokens);
        if (signature.hasPositionIds()) {
            inputs.put(folder.names().positionIds(), positions);
        }
        if (signature.hasAttentionMask()) {
            inputs.put(folder.names().attentionMask(), mask);
        }
    }

    private OnnxTensor logitsTensor(int firstRow, int rows) throws OrtException {
        int vocabulary = shape.vocabularySize();
        FloatBuffer range = logits.slice(firstRow * vocabulary, rows * vocabulary);
        return OnnxTensor.createTensor(environment, range, new long[] {rows, 1, vocabulary});
    }

    private OnnxTensor chunkLogits(int tokens) throws OrtException {
        int size = Math.multiplyExact(tokens, shape.vocabularySize());
        if (chunkLogits.capacity() < size) {
            chunkLogits = floats(size);
        }
        return OnnxTensor.createTensor(
                environment, chunkLogits.slice(0, size), new long[] {1, tokens, shape.vocabularySize()});
    }

    /**
     * The largest magnitudes of what a slot holds, from which an eight-bit cache takes its scales: keys of layer 0, values
     * of layer 0, keys of layer 1 and so on.
     *
     * @throws IllegalStateException if this model's own cache is not float32
     */
    public float[] largestCached(int slot, int tokens) {
        return cache.largest(slot, tokens);
    }

    /** For those who look at what attention reads. */
    KvCache cache() {
        return cache;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        List<OnnxTensor> tensors = new ArrayList<>();
        for (DecodeRun run : decodeRuns) {
            if (run != null) {
                tensors.addAll(run.owned());
            }
        }
        for (List<OnnxTensor> slot : slotTensors) {
            if (slot != null) {
                tensors.addAll(slot);
            }
        }
        tensors.forEach(OnnxTensor::close);
        if (adapter != null) {
            adapter.close();
        }
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("cannot close the model " + folder.name() + ": " + e.getMessage(), e);
        } finally {
            cache.close();
            arena.close();
        }
    }

    static OrtSession openSession(ModelFolder folder, int threads) {
        if (folder.blockSize() > 0) {
            throw new ModelLoadException("the model " + folder.name() + " was exported for cuda ("
                    + ModelFolder.CONFIG_FILE
                    + " has engine.dynamic_batching, for paged attention), and this runs models "
                    + "on the CPU: run it with --device cuda, or export it again with --target cpu");
        }
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
            // Its warnings are for who makes a graph; one with room for adapters gives a line for each of their inputs.
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            // Nodes are shorter than the time that it takes to wake a thread, so threads wait for the next one in a
            // loop.
            options.addConfigEntry("session.intra_op.allow_spinning", "1");
            options.addConfigEntry("session.intra_op.spin_duration_us", SPIN_MICROS);
            if (Processor.overflowsInt8()) {
                options.addConfigEntry("session.x64quantprecision", "1");
            }
            return OnnxRuntime.environment().createSession(folder.modelFile().toString(), options);
        } catch (OrtException e) {
            throw new ModelLoadException(folder.modelFile() + " cannot be loaded: " + e.getMessage(), e);
        }
    }

    private static int maxTokens(ModelFolder folder, RunnerOptions options) {
        int contextLength = folder.contextLength();
        if (options.maxTokens() > contextLength) {
            throw new ModelLoadException("max-tokens is " + options.maxTokens() + ", but the model " + folder.name()
                    + " was made for " + contextLength + " tokens at most: choose that or less, or 0");
        }
        return options.maxTokens() == 0 ? contextLength : options.maxTokens();
    }

    private static void closeQuietly(OrtSession session, @Nullable ActiveAdapter adapter, Throwable reason) {
        if (adapter != null) {
            adapter.close();
        }
        closeQuietly(session, reason);
    }

    static void closeQuietly(OrtSession session, Throwable reason) {
        try {
            session.close();
        } catch (OrtException e) {
            reason.addSuppressed(e);
        }
    }

    private FloatBuffer floats(long count) {
        long bytes = count * Float.BYTES;
        if (bytes > Integer.MAX_VALUE) {
            throw new ModelLoadException(
                    "max-sequences is " + cacheSize.requestedSlots() + ", with which a step's logits take " + bytes
                            + " bytes and more than the 2 GiB of one buffer: choose fewer");
        }
        return NativeMemory.allocate(arena, bytes)
                .asByteBuffer()
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    private static LongBuffer longs(int count) {
        return ByteBuffer.allocateDirect(count * Long.BYTES)
                .order(ByteOrder.nativeOrder())
                .asLongBuffer();
    }
}
