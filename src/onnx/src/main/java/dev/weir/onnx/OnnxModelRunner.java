package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import dev.weir.engine.BufferLogits;
import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.PrefixPool;
import dev.weir.engine.StepPlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
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
    /** Guesses of an answer's next tokens that a step can check: with the newest token, two pieces of a prompt. */
    private static final int DRAFT_TOKENS = 15;

    private final ModelFolder folder;
    /** Set again at the end of the constructor, once the model has been tried. */
    private ModelShape shape;

    private final ModelSignature signature;
    private final KvCacheSize cacheSize;
    private final PrefixCacheSize prefixCacheSize;
    private final int threads;

    private final Arena arena = Arena.ofShared();
    private final CpuSession session;
    private final KvCache cache;

    // Decode: one token per slot, and the runs by number of rows.
    private final StepTokens decodeTokens;
    private final AttentionMask decodeMask;
    private final CpuSession.@Nullable Run[] decodeRuns;

    // Prefill: one chunk, and the runs by slot.
    private final StepTokens chunkTokens;
    private final AttentionMask chunkMask;
    private final CpuSession.@Nullable Run[] chunkRuns;
    /** Which tokens' logits are wanted, for graphs that can choose: the last one, so many from the first on, or none. */
    private final MemorySegment lastToken;

    private final @Nullable MemorySegment[] firstTokens = new @Nullable MemorySegment[DRAFT_TOKENS + 2];
    private final @Nullable MemorySegment[] draftLogits = new @Nullable MemorySegment[DRAFT_TOKENS + 2];

    private final MemorySegment noToken;
    private final MemorySegment noLogits;

    /** {@code [slots + chunks, vocabulary]}; the first part belongs to decode rows, the second one to chunks. */
    private final MemorySegment logits;

    private final @Nullable MemorySegment[] chunkLogits;
    private final BufferLogits scores;

    private final int maxChunks;
    /** Logits of all tokens of one chunk, for graphs that cannot give the last ones alone; made when first needed. */
    private @Nullable MemorySegment allLogits;
    /** Tensors over the first of them, by their number. */
    private final @Nullable MemorySegment[] allLogitsTensors;

    private boolean closed;

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
        CpuSession session = CpuSession.open(folder, threads);
        try {
            if (adapter != null) {
                activate(session, adapter);
            }
            return new OnnxModelRunner(folder, options, threads, session);
        } catch (OrtException e) {
            session.close();
            throw new ModelLoadException(folder.modelFile() + " cannot be used: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    private static void activate(CpuSession session, Path adapter) {
        try {
            session.activate(adapter);
        } catch (OrtException e) {
            throw new ModelLoadException(adapter + " is no adapter of ONNX Runtime: " + e.getMessage(), e);
        }
    }

    private OnnxModelRunner(ModelFolder folder, RunnerOptions options, int threads, CpuSession session)
            throws OrtException {
        this.folder = folder;
        this.session = session;
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
        logits = logits(slots + maxChunks, vocabulary);
        scores = new BufferLogits(
                logits.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer(), vocabulary);
        cache = new KvCache(cacheShape, slots, prefixCacheSize.blocks(), PrefixCacheSize.BLOCK_TOKENS);
        decodeTokens = StepTokens.ofRows(session, arena, slots);
        decodeMask = new AttentionMask(arena, slots, maxTokens);
        decodeRuns = new CpuSession.@Nullable Run[slots + 1];
        chunkTokens = StepTokens.ofOneRow(session, arena, maxTokens);
        chunkMask = new AttentionMask(arena, 1, maxTokens);
        chunkRuns = new CpuSession.@Nullable Run[slots];
        chunkLogits = new @Nullable MemorySegment[maxChunks];
        allLogitsTensors = new @Nullable MemorySegment[maxTokens + 1];
        MemorySegment last = arena.allocateFrom(ValueLayout.JAVA_INT, -1);
        lastToken = session.tensor(last, TensorType.INT32, 1);
        noToken = session.tensor(last.asSlice(0, 0), TensorType.INT32, 0);
        noLogits = session.tensor(logits.asSlice(0, 0), TensorType.FLOAT, 1, 0, vocabulary);
        ModelShape withoutPool = new ModelShape(vocabulary, slots, maxTokens, folder.eosTokenIds(), PrefixPool.NONE);
        int blocks = prefixCacheSize.blocks();
        int drafts = signature.choosesTokens() ? DRAFT_TOKENS : 0;
        shape = withoutPool.withDraftTokens(drafts); // for the trial
        boolean decodesLikePrefill = false;
        if (NumericsProbe.isWorthTrying(cacheShape)) {
            NumericsProbe probe = new NumericsProbe(this);
            decodesLikePrefill = probe.decodesLikePrefill();
            drafts = decodesLikePrefill && probe.scoresLikeDecode(drafts + 1) ? drafts : 0;
        } else {
            drafts = 0;
        }
        shape = withoutPool
                .withDraftTokens(drafts)
                .withPrefixPool(new PrefixPool(blocks, PrefixCacheSize.BLOCK_TOKENS, decodesLikePrefill));
    }

    /**
     * Whether what a sequence gets is the same to the last bit whatever is computed beside it, tried with a few tokens alone and
     * beside others. It leaves traces in the slots: to be called before the first step.
     */
    public boolean isBatchInvariant() {
        return NumericsProbe.isBatchInvariant(this);
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

    @Override
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
                prefill(chunks.get(i), i);
            }
            if (plan.decodeRows() > 0) {
                decode(plan);
            }
        } catch (OrtException e) {
            throw new IllegalStateException("the model " + folder.name() + " failed: " + e.getMessage(), e);
        }
        return scores;
    }

    @Override
    public void interrupt() {
        session.interrupt();
    }

    @Override
    public boolean computesApart() {
        return true;
    }

    private void decode(StepPlan plan) throws OrtException {
        int rows = plan.decodeRows();
        for (int row = 0; row < rows; row++) {
            decodeTokens.set(row, plan.token(row), plan.position(row));
            decodeMask.set(row, plan.position(row) + 1);
        }
        CpuSession.Run run = decodeRuns[rows];
        if (run == null) {
            run = newRun(0, rows, decodeMask);
            bindTokens(run, decodeTokens, rows);
            run.output(folder.names().logits(), logitsTensor(0, rows, 1));
            decodeRuns[rows] = run;
        }
        run.start();
    }

    /** A run over some slots without tokens and logits. */
    private CpuSession.Run newRun(int firstSlot, int rows, AttentionMask mask) throws OrtException {
        CpuSession.Run run = session.newRun();
        cache.bind(firstSlot, rows, session, run, folder.names());
        if (signature.hasAttentionMask()) {
            run.input(folder.names().attentionMask(), mask.tensor(session, rows));
        }
        return run;
    }

    private void bindTokens(CpuSession.Run run, StepTokens tokens, int count) throws OrtException {
        run.input(folder.names().inputIds(), tokens.ids(count));
        if (signature.hasPositionIds()) {
            run.input(folder.names().positionIds(), tokens.positions(count));
        }
    }

    private void prefill(PrefillChunk chunk, int number) throws OrtException {
        int length = chunk.length();
        for (int i = 0; i < length; i++) {
            chunkTokens.set(i, chunk.tokens()[chunk.start() + i], chunk.start() + i);
        }
        chunkMask.set(0, chunk.start() + length);
        CpuSession.Run run = chunkRuns[chunk.slot()];
        if (run == null) {
            run = newRun(chunk.slot(), 1, chunkMask);
            chunkRuns[chunk.slot()] = run;
        }
        bindTokens(run, chunkTokens, length);
        boolean isNoneWanted = signature.choosesTokens() && !chunk.wantsLogits();
        if (signature.choosesTokens()) {
            run.input(ModelFolder.LOGITS_INDICES, isNoneWanted ? noToken : chosenTokens(chunk.scored()));
        }
        String name = folder.names().logits();
        if (signature.lastTokenOnly()) {
            run.output(name, isNoneWanted ? noLogits : chunkLogits(number, chunk.scored()));
            run.start();
        } else {
            prefillAll(run, name, length, number);
        }
    }

    private void prefillAll(CpuSession.Run run, String name, int length, int number) throws OrtException {
        int vocabulary = shape.vocabularySize();
        long rowBytes = (long) vocabulary * Float.BYTES;
        MemorySegment all = allLogits;
        if (all == null) {
            all = NativeMemory.allocate(arena, shape.maxTokens() * rowBytes);
            allLogits = all;
        }
        MemorySegment tensor = allLogitsTensors[length];
        if (tensor == null) {
            tensor = session.tensor(all.asSlice(0, length * rowBytes), TensorType.FLOAT, 1, length, vocabulary);
            allLogitsTensors[length] = tensor;
        }
        run.output(name, tensor);
        run.start();
        MemorySegment.copy(all, (length - 1) * rowBytes, logits, (shape.slots() + number) * rowBytes, rowBytes);
    }

    private MemorySegment chosenTokens(int count) throws OrtException {
        if (count == 1) {
            return lastToken;
        }
        MemorySegment tensor = firstTokens[count];
        if (tensor == null) {
            int[] indices = IntStream.range(0, count).toArray();
            tensor = session.tensor(arena.allocateFrom(ValueLayout.JAVA_INT, indices), TensorType.INT32, count);
            firstTokens[count] = tensor;
        }
        return tensor;
    }

    private MemorySegment chunkLogits(int number, int scored) throws OrtException {
        if (scored > 1) {
            return draftLogits(scored);
        }
        MemorySegment tensor = chunkLogits[number];
        if (tensor == null) {
            tensor = logitsTensor(shape.slots() + number, 1, 1);
            chunkLogits[number] = tensor;
        }
        return tensor;
    }

    /** Where a step's only chunk has its logits, and after them those of its other tokens. */
    private MemorySegment draftLogits(int tokens) throws OrtException {
        MemorySegment tensor = draftLogits[tokens];
        if (tensor == null) {
            tensor = logitsTensor(shape.slots(), 1, tokens);
            draftLogits[tokens] = tensor;
        }
        return tensor;
    }

    private MemorySegment logitsTensor(int firstRow, int sequences, int tokens) throws OrtException {
        int vocabulary = shape.vocabularySize();
        long rowBytes = (long) vocabulary * Float.BYTES;
        MemorySegment rows = logits.asSlice(firstRow * rowBytes, rowBytes * sequences * tokens);
        return session.tensor(rows, TensorType.FLOAT, sequences, tokens, vocabulary);
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
        session.close();
        cache.close();
        arena.close();
    }

    private static int maxTokens(ModelFolder folder, RunnerOptions options) {
        int contextLength = folder.contextLength();
        if (options.maxTokens() > contextLength) {
            throw new ModelLoadException("max-tokens is " + options.maxTokens() + ", but the model " + folder.name()
                    + " was made for " + contextLength + " tokens at most: choose that or less, or 0");
        }
        return options.maxTokens() == 0 ? contextLength : options.maxTokens();
    }

    private MemorySegment logits(int rows, int vocabulary) {
        long bytes = (long) rows * vocabulary * Float.BYTES;
        if (bytes > Integer.MAX_VALUE) {
            throw new ModelLoadException(
                    "max-sequences is " + cacheSize.requestedSlots() + ", with which a step's logits take " + bytes
                            + " bytes and more than the 2 GiB of one buffer: choose fewer");
        }
        return NativeMemory.allocate(arena, bytes);
    }
}
