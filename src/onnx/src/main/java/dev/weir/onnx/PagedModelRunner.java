package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import dev.weir.engine.CacheBlocks;
import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.PrefixPool;
import dev.weir.engine.StepPlan;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model on a GPU through ONNX Runtime's CUDA provider, with its cache in blocks ("Efficient Memory Management for Large
 * Language Model Serving with PagedAttention", Kwon et al., 2023). Opened by one thread and then owned by the engine thread.
 *
 * <p>A step is one run for all its decode rows and prefill chunks. Weights, cache and logits stay in the device's memory: up go
 * a step's tokens and where their cache lies, down come each row's largest logits, and whole rows only where somebody reads
 * them. Steps of decode rows alone are replayed from CUDA graphs, recorded once for each size of batch, up to which they are
 * filled, and length of context.
 */
public final class PagedModelRunner implements ModelRunner {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    /** Chunks that a step has room for, even if there are fewer slots: a long prompt may have several in one step. */
    private static final int LEAST_CHUNKS = 64;

    /** Beyond so many rows, graphs are recorded for multiples of it. */
    private static final int ROW_STEP = 8;

    private final ModelFolder folder;
    private final CudaOptions options;
    private final CudaSession session;
    private final ModelShape shape;
    private final long fileBytes;
    private final int maxChunks;
    private final PagedCacheShape cacheShape;
    private final int blocks;

    private final BlockTables tables;
    private final PagedStep step;
    private final List<MemorySegment> cache = new ArrayList<>();
    private final List<MemorySegment> cacheTensors = new ArrayList<>();

    private final MemorySegment stepHost;
    private final MemorySegment stepDevice;
    private final MemorySegment metadataHost;
    private final MemorySegment binding;
    private final DeviceLogits logits;
    private final Map<Long, DecodeGraph> graphs = new HashMap<>();

    private long sentBytes;
    private long graphRuns;
    private long plainRuns;
    private boolean replays;
    private boolean closed;

    /** A recorded run for a number of rows and a bound of their contexts. */
    private record DecodeGraph(MemorySegment binding, MemorySegment options) {}

    /**
     * Loads a model and reserves its cache.
     *
     * @throws ModelLoadException naming the file, field or setting that is at fault, and a value that would do
     */
    public static PagedModelRunner open(ModelFolder folder, RunnerOptions options, CudaOptions cuda) {
        return open(folder, options, cuda, CudaPlatform.NVIDIA);
    }

    static PagedModelRunner open(ModelFolder folder, RunnerOptions options, CudaOptions cuda, CudaPlatform platform) {
        if (folder.blockSize() == 0) {
            throw new ModelLoadException("the model " + folder.name() + " has no paged attention: export it again with "
                    + "--target cuda, or run it with --device cpu");
        }
        int contextLength = folder.contextLength();
        if (options.maxTokens() > contextLength) {
            throw new ModelLoadException("max-tokens is " + options.maxTokens() + ", but the model " + folder.name()
                    + " was made for " + contextLength + " tokens at most: choose that or less, or 0");
        }
        int maxTokens = options.maxTokens() == 0 ? contextLength : options.maxTokens();
        CudaSession session = CudaSession.open(folder, cuda, platform);
        try {
            PagedCacheShape cache = PagedCacheShape.of(folder, session, maxTokens);
            tryLargestStep(folder, cache, cuda, session);
            PagedCacheSize size = PagedCacheSize.plan(cache, options, cuda, session.memory(), stride(folder, session));
            return new PagedModelRunner(folder, cache, cuda, session, size);
        } catch (OrtException e) {
            session.close();
            throw new ModelLoadException(folder.modelFile() + " cannot be used: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    /**
     * Computes as many tokens as a step ever does, with a cache that is given back: what memory is free afterwards the
     * real one may have, and no step later needs more.
     */
    private static void tryLargestStep(ModelFolder folder, PagedCacheShape cache, CudaOptions cuda, CudaSession session)
            throws OrtException {
        int sequences = Math.clamp(cuda.stepTokens() / cache.maxTokens(), 1, LEAST_CHUNKS);
        int length = Math.min(cache.maxTokens(), cuda.stepTokens() / sequences);
        int mark = session.mark();
        try {
            PagedCacheSize size = new PagedCacheSize(sequences, sequences * cache.blocksPerSlot(), 0);
            PagedModelRunner runner = new PagedModelRunner(folder, cache, cuda, session, size);
            StepPlan plan = new StepPlan(sequences);
            for (int slot = 0; slot < sequences; slot++) {
                plan.addChunk(new PrefillChunk(slot, new int[length], 0, length, true));
            }
            runner.run(plan);
            session.releaseSince(mark);
        } catch (IllegalStateException e) {
            throw new ModelLoadException(
                    "a step of " + sequences * length + " tokens fails on the GPU: " + e.getMessage()
                            + "; free some of its memory, or set gpu-memory-fraction lower for others that use it",
                    e);
        }
    }

    private PagedModelRunner(
            ModelFolder folder, PagedCacheShape cacheShape, CudaOptions cuda, CudaSession session, PagedCacheSize size)
            throws OrtException {
        this.folder = folder;
        this.options = cuda;
        this.session = session;
        this.cacheShape = cacheShape;
        replays = session.hasGraphs();
        fileBytes = fileBytes(folder);
        int slots = size.slots();
        int pool = size.poolBlocks();
        maxChunks = Math.max(slots, LEAST_CHUNKS);
        int blocksPerSlot = cacheShape.blocksPerSlot();
        blocks = BlockTables.blocks(size.slotBlocks(), pool);
        tables = new BlockTables(slots, blocksPerSlot, size.slotBlocks(), pool, cacheShape.blockTokens());
        for (int i = 0; i < cacheShape.arrays(); i++) {
            MemorySegment memory = session.onDevice(blocks * cacheShape.blockBytes());
            cache.add(memory);
            cacheTensors.add(session.keep(session.tensor(
                    memory,
                    memory.byteSize(),
                    cacheShape.type(),
                    blocks,
                    cacheShape.blockTokens(),
                    folder.kvHeads(),
                    folder.headSize())));
        }
        long stepBytes = new PagedStep.Layout(
                        cuda.stepTokens() + slots, slots + maxChunks, slots + maxChunks, blocksPerSlot)
                .bytes();
        stepHost = session.pinned(stepBytes);
        stepDevice = session.onDevice(stepBytes);
        metadataHost = session.arena().allocate(INT, 2);
        step = new PagedStep(stepHost, tables, slots, maxChunks, blocksPerSlot);
        int vocabulary = folder.vocabularySize();
        logits = new DeviceLogits(session, vocabulary, stride(folder, session), slots + maxChunks, step);
        binding = newBinding(metadataHost);
        PrefixPool prefixPool = pool == 0 ? PrefixPool.NONE : new PrefixPool(pool, cacheShape.blockTokens(), false);
        shape = new ModelShape(vocabulary, slots, cacheShape.maxTokens(), folder.eosTokenIds(), prefixPool)
                .withCacheBlocks(new CacheBlocks(size.slotBlocks(), cacheShape.blockTokens()));
    }

    private static long fileBytes(ModelFolder folder) {
        try (Stream<Path> files = Files.list(folder.path())) { // constants beyond 2 GiB are in files of their own
            String name = String.valueOf(folder.modelFile().getFileName());
            return files.filter(file -> String.valueOf(file.getFileName()).startsWith(name))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        } catch (IOException e) {
            throw new ModelLoadException("cannot read " + folder.path() + ": " + e.getMessage(), e);
        }
    }

    /** Floats of a row of logits, which may be filled up for the sake of alignment. */
    private static long stride(ModelFolder folder, CudaSession session) {
        TensorType type = session.outputs().get(folder.names().logits());
        if (type == null || type.element() != TensorType.FLOAT || type.dims().length != 2) {
            throw new ModelLoadException(folder.modelFile() + " has no output \""
                    + folder.names().logits() + "\" of float32 and two dimensions; it has "
                    + session.outputs().keySet());
        }
        long stride = type.dims()[1];
        if (stride < folder.vocabularySize()) {
            throw new ModelLoadException(
                    folder.modelFile() + ": \"" + folder.names().logits() + "\" has rows of " + stride + ", but "
                            + ModelFolder.CONFIG_FILE + " says model.vocab_size is " + folder.vocabularySize());
        }
        return stride;
    }

    /** A binding with the cache and what has the same place in every step. */
    private MemorySegment newBinding(MemorySegment metadata) throws OrtException {
        MemorySegment made = session.binding();
        ModelFolder.GraphNames names = folder.names();
        for (int layer = 0; layer < folder.layers(); layer++) {
            MemorySegment key = cacheTensors.get(2 * layer);
            MemorySegment value = cacheTensors.get(2 * layer + 1);
            session.bindInput(made, names.pastKey().formatted(layer), key);
            session.bindInput(made, names.pastValue().formatted(layer), value);
            session.bindOutput(made, names.presentKey().formatted(layer), key);
            session.bindOutput(made, names.presentValue().formatted(layer), value);
        }
        MemorySegment bounds = session.hostTensor(metadata, TensorType.INT32, 2);
        session.bindInput(made, "attention_metadata", bounds);
        session.release(bounds);
        return made;
    }

    /** Binds what lies elsewhere in steps of another size. */
    private void bindStep(MemorySegment binding, PagedStep.Layout layout) throws OrtException {
        int tokens = layout.tokens();
        int sequences = layout.sequences();
        bind(binding, folder.names().inputIds(), layout.ids(), TensorType.INT64, tokens);
        bind(binding, folder.names().positionIds(), layout.positions(), TensorType.INT64, tokens);
        bind(binding, "slot_mapping", layout.places(), TensorType.INT32, tokens);
        bind(binding, "cumulative_sequence_lengths", layout.cumulative(), TensorType.INT32, sequences + 1);
        bind(binding, "past_sequence_lengths", layout.past(), TensorType.INT32, sequences);
        bind(binding, "block_table", layout.table(), TensorType.INT32, sequences, cacheShape.blocksPerSlot());
        bind(binding, ModelFolder.LOGITS_INDICES, layout.indices(), TensorType.INT32, layout.wanted());
        logits.bind(binding, folder.names().logits(), layout.wanted());
    }

    private void bind(MemorySegment binding, String name, long offset, int type, long... dims) throws OrtException {
        if (!session.inputs().containsKey(name)) {
            return; // a model with rotary positions has no use for their numbers
        }
        long bytes = type == TensorType.INT64 ? Long.BYTES : Integer.BYTES;
        for (long dim : dims) {
            bytes *= dim;
        }
        MemorySegment tensor = session.tensor(stepDevice.asSlice(offset, bytes), bytes, type, dims);
        try {
            session.bindInput(binding, name, tensor);
        } finally {
            session.release(tensor);
        }
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    /** All cores of the CPU, as the GPU computes; where there are several GPUs, their engines share them. */
    @Override
    public int threads() {
        return Processor.physicalCores();
    }

    @Override
    public Logits run(StepPlan plan) {
        if (closed) {
            throw new IllegalStateException("the model " + folder.name() + " is closed");
        }
        StepPlanCheck.check(plan, shape, maxChunks);
        int tokens = PagedStep.tokens(plan);
        if (tokens > options.stepTokens()) {
            throw new IllegalArgumentException(
                    "the plan computes " + tokens + " tokens, at most " + options.stepTokens() + " fit a step");
        }
        session.use();
        try {
            tables.apply(plan, this::copyBlock);
            if (tokens > 0) {
                compute(plan);
            }
        } catch (OrtException e) {
            throw new IllegalStateException("the model " + folder.name() + " failed: " + e.getMessage(), e);
        }
        return logits;
    }

    private void copyBlock(int from, int to) {
        long bytes = cacheShape.blockBytes();
        for (MemorySegment array : cache) {
            session.copy(array.asSlice(to * bytes, bytes), array.asSlice(from * bytes, bytes), bytes);
        }
    }

    private void compute(StepPlan plan) throws OrtException {
        boolean isReplayed = replays && plan.chunks().isEmpty();
        step.pack(plan, isReplayed ? bucket(plan.activeRows(), shape.slots()) : 0);
        PagedStep.Layout layout = step.layout();
        session.copy(stepDevice, stepHost, layout.bytes());
        sentBytes = layout.bytes();
        if (isReplayed) {
            DecodeGraph graph = graph(layout);
            session.run(graph.binding(), graph.options());
            graphRuns++;
        } else {
            metadataHost.setAtIndex(INT, 0, step.longestPiece());
            metadataHost.setAtIndex(INT, 1, step.longestSequence());
            bindStep(binding, layout);
            session.run(binding);
            plainRuns++;
        }
        logits.fetch(layout.wanted());
    }

    /** Rows to which so many are filled up: a power of two, from 8 on a multiple of it. */
    static int bucket(int rows, int most) {
        int bucket = rows <= ROW_STEP
                ? Integer.highestOneBit(Math.max(1, 2 * rows - 1))
                : (rows + ROW_STEP - 1) / ROW_STEP * ROW_STEP;
        return Math.min(bucket, Math.max(rows, most));
    }

    private DecodeGraph graph(PagedStep.Layout layout) throws OrtException {
        // The kernels look at no more blocks than the bound that they were recorded with: a power of two of blocks.
        int needed = (step.longestSequence() + folder.blockSize() - 1) / folder.blockSize();
        int bound = Math.min(cacheShape.blocksPerSlot(), Integer.highestOneBit(Math.max(1, 2 * needed - 1)))
                * folder.blockSize();
        long key = (long) layout.sequences() << Integer.SIZE | bound;
        @Nullable DecodeGraph known = graphs.get(key);
        if (known == null) {
            MemorySegment metadata = session.arena().allocate(INT, 2);
            metadata.setAtIndex(INT, 0, 1);
            metadata.setAtIndex(INT, 1, bound);
            MemorySegment made = newBinding(metadata);
            bindStep(made, layout);
            known = new DecodeGraph(made, session.graphRun(graphs.size() + 1));
            graphs.put(key, known);
        }
        return known;
    }

    /** Bytes that the latest step sent to the device. */
    public long sentBytes() {
        return sentBytes + logits.sentBytes();
    }

    /** Bytes that were fetched from the device of the latest step, the rows that somebody read as a whole included. */
    public long fetchedBytes() {
        return logits.fetchedBytes();
    }

    /** Bytes of the model's files, most of which are weights that a step reads. */
    public long fileBytes() {
        return fileBytes;
    }

    /** Steps that were replayed from a CUDA graph, its recording included. */
    public long graphRuns() {
        return graphRuns;
    }

    /** Steps that were not. */
    public long plainRuns() {
        return plainRuns;
    }

    /** Bytes of the device that nobody uses. */
    public long freeBytes() {
        session.use();
        return session.memory().free();
    }

    /** Blocks of the cache in all. */
    public int blocks() {
        return blocks;
    }

    /** Bytes of one block, in all layers. */
    public long blockBytes() {
        return cacheShape.allBlockBytes();
    }

    /** Bits of a number in the cache that are neither its sign nor its exponent: 10 of half floats, 7 of bfloat16 and of eight bits. */
    int cacheFraction() {
        return cacheShape.type() == TensorType.FLOAT16 ? 10 : 7;
    }

    /** Bytes of the cache. */
    public long cacheBytes() {
        return blocks * blockBytes();
    }

    /** Whether decoding is replayed from CUDA graphs from now on; it can be only if the model was opened with them. */
    public void replay(boolean value) {
        replays = value && session.hasGraphs();
    }

    /** Bytes that a large copy within the device reads and writes a second: the ceiling of what reads weights and cache. */
    public double copyBandwidth() {
        session.use();
        return session.copyBandwidth();
    }

    /** Tokens of a block. */
    public int blockTokens() {
        return folder.blockSize();
    }

    /** Blocks of the cache that hold nothing. */
    public int freeBlocks() {
        return tables.freeBlocks();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            session.close();
        }
    }
}
