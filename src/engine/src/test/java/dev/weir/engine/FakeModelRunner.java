package dev.weir.engine;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A model whose next-token scores are a hash of every token in the slot's cache: a cache entry that is lost, misplaced or
 * written by a neighbour changes the text. Counts what it is asked and lets a test act inside a run.
 *
 * <p>Unless its pool {@linkplain PrefixPool#decodesLikePrefill says otherwise}, a token that is computed by itself leaves
 * something else in the cache than one that is computed with others, and that changes the text too.
 */
final class FakeModelRunner implements ModelRunner {
    static final int VOCABULARY = 97;
    static final int EOS = 96;

    private ModelShape shape;
    /** Tokens that a slot has room for in the blocks that it took. */
    private final int[] room;

    private final int[][] cache;
    private final int[][] blocks;
    private final BufferLogits logits;
    /** Called at the start of each run, on the engine thread. */
    volatile Consumer<StepPlan> onRun = plan -> {};

    /** What it says of itself when an engine starts. */
    boolean computesApart;

    /** Makes it say again what it said so many tokens before, seven times in eight; 0 for never. */
    int period;

    /** Whether a step that has begun is given up, if it holds nothing but rows. */
    BooleanSupplier isGivenUp = () -> false;

    private volatile boolean isInterrupted;
    volatile int runs;
    volatile long idleRows;
    volatile long movedTokens;
    volatile long computedTokens;
    volatile long loadedBlocks;
    volatile long savedBlocks;
    volatile int mostTokens;
    volatile int interruptions;
    volatile boolean isClosed;

    FakeModelRunner(int slots, int maxTokens) {
        this(slots, maxTokens, new PrefixPool(0, 1, true));
    }

    FakeModelRunner(int slots, int maxTokens, PrefixPool pool) {
        this(slots, maxTokens, pool, 0);
    }

    FakeModelRunner(int slots, int maxTokens, PrefixPool pool, int draftTokens) {
        shape = new ModelShape(VOCABULARY, slots, maxTokens, new int[] {EOS}, pool).withDraftTokens(draftTokens);
        room = new int[slots];
        cache = new int[slots][maxTokens];
        blocks = new int[pool.blocks()][pool.blockTokens()];
        logits = new BufferLogits(FloatBuffer.allocate((slots + 64) * VOCABULARY), VOCABULARY);
    }

    /** The same with so many blocks for all slots, which it checks in each step. */
    FakeModelRunner with(CacheBlocks blocks) {
        shape = shape.withCacheBlocks(blocks);
        return this;
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer, the engine thread
    public Logits run(StepPlan plan) {
        runs++;
        isInterrupted = false;
        onRun.accept(plan);
        int blockTokens = shape.prefixPool().blockTokens();
        for (StepPlan.BlockCopy save : plan.saves()) {
            System.arraycopy(cache[save.slot()], save.start(), blocks[save.block()], 0, blockTokens);
            savedBlocks++;
        }
        for (int slot : plan.releases()) {
            Arrays.fill(cache[slot], -1);
            room[slot] = 0;
        }
        for (StepPlan.SlotMove move : plan.moves()) {
            room[move.to()] = room[move.from()];
            room[move.from()] = 0;
            System.arraycopy(cache[move.from()], 0, cache[move.to()], 0, move.tokens());
            Arrays.fill(cache[move.from()], -1);
            movedTokens += move.tokens();
        }
        for (StepPlan.BlockCopy load : plan.loads()) {
            take(load.slot(), load.start() + blockTokens);
            System.arraycopy(blocks[load.block()], 0, cache[load.slot()], load.start(), blockTokens);
            loadedBlocks++;
        }
        if (plan.chunks().isEmpty() && (isInterrupted || isGivenUp.getAsBoolean())) {
            interruptions++;
            throw new StepInterruptedException();
        }
        for (int row = 0; row < plan.decodeRows(); row++) {
            cache[row][plan.position(row)] = plan.isActive(row) ? single(plan.token(row)) : -1;
            if (plan.isActive(row)) {
                take(row, plan.position(row) + 1);
                computedTokens++;
                score(cache[row], plan.position(row) + 1, row);
            } else {
                idleRows++;
            }
        }
        List<PrefillChunk> chunks = plan.chunks();
        for (int i = 0; i < chunks.size(); i++) {
            PrefillChunk chunk = chunks.get(i);
            take(chunk.slot(), chunk.start() + chunk.length());
            System.arraycopy(chunk.tokens(), chunk.start(), cache[chunk.slot()], chunk.start(), chunk.length());
            if (chunk.length() == 1) {
                cache[chunk.slot()][chunk.start()] = single(chunk.tokens()[chunk.start()]);
            }
            computedTokens += chunk.length();
            for (int j = 0; j < chunk.scored(); j++) {
                int end = chunk.start() + chunk.length() - chunk.scored() + 1 + j;
                score(cache[chunk.slot()], end, shape.slots() + i + j);
            }
        }
        mostTokens = Math.max(mostTokens, takenTokens());
        return logits;
    }

    /** A slot takes blocks for so many tokens and keeps them until it is released. */
    private void take(int slot, int tokens) {
        CacheBlocks memory = shape.cacheBlocks();
        room[slot] = Math.max(room[slot], memory.holding(tokens) * memory.tokens());
        int taken = takenTokens() / memory.tokens();
        if (taken > memory.count()) {
            throw new IllegalStateException(taken + " blocks are taken of " + memory.count());
        }
    }

    private int takenTokens() {
        int sum = 0;
        for (int tokens : room) {
            sum += tokens;
        }
        return sum;
    }

    @Override
    public void interrupt() {
        isInterrupted = true;
    }

    @Override
    public boolean computesApart() {
        return computesApart;
    }

    private int single(int token) {
        return shape.prefixPool().decodesLikePrefill() ? token : token + VOCABULARY;
    }

    private void score(int[] tokens, int length, int row) {
        long hash = hash(tokens, length);
        for (int token = 0; token < VOCABULARY; token++) {
            hash = hash * 6364136223846793005L + 1442695040888963407L;
            logits.values().put(logits.offset(row) + token, (hash >>> 40) / (float) (1 << 22));
        }
        if (period > 0 && length >= period && hash % 8 != 0) {
            logits.values().put(logits.offset(row) + tokens[length - period] % VOCABULARY, 100);
        }
    }

    private static long hash(int[] tokens, int length) {
        long hash = 17;
        for (int i = 0; i < length; i++) {
            hash = hash * 31 + tokens[i];
        }
        return hash * 0x9E3779B97F4A7C15L;
    }

    /** The text that the model writes for the request when nothing else runs, computed without engine or cache. */
    static List<Integer> reference(GenerationRequest request, int maxTokens) {
        return reference(request, maxTokens, new PrefixPool(0, 1, true), maxTokens);
    }

    /** The same of a model with such a pool, on which the prompt is computed in such chunks and the rest token by token. */
    static List<Integer> reference(GenerationRequest request, int maxTokens, PrefixPool pool, int chunk) {
        FakeModelRunner model = new FakeModelRunner(1, maxTokens, pool);
        Sampler sampler = new Sampler(VOCABULARY);
        TokenSubscription nobody = new TokenSubscription(new RecordingSubscriber(), command -> {});
        Sequence sequence = new Sequence(request, nobody, model.shape, 0, null);
        int[] tokens = Arrays.copyOf(request.promptTokens(), maxTokens);
        int length = request.promptTokens().length;
        if (length % chunk == 1 || chunk == 1) {
            tokens[length - 1] = model.single(tokens[length - 1]);
        }
        List<Integer> generated = new ArrayList<>();
        while (!sequence.isFinished()) {
            model.score(tokens, length, 0);
            LogitsProcessor processor = sequence.logitsProcessor();
            if (processor != null) {
                processor.prepare();
            }
            int token = sampler.sample(
                    model.logits, 0, request.sampling(), sequence.suppressedTokens(), processor, sequence.random());
            tokens[length++] = model.single(token);
            generated.add(token);
            sequence.append(token, 0);
        }
        return generated;
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
