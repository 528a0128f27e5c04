package dev.weir.engine;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A model whose next-token scores are a hash of every token in the slot's cache: a cache entry that is lost, misplaced or
 * written by a neighbour changes the text. Counts what it is asked and lets a test act inside a run.
 */
final class FakeModelRunner implements ModelRunner {
    static final int VOCABULARY = 97;
    static final int EOS = 96;

    private final ModelShape shape;
    private final int[][] cache;
    private final Logits logits;
    /** Called at the start of each run, on the engine thread. */
    volatile Consumer<StepPlan> onRun = plan -> {};

    volatile int runs;
    volatile long idleRows;
    volatile long movedTokens;
    volatile boolean isClosed;

    FakeModelRunner(int slots, int maxTokens) {
        shape = new ModelShape(VOCABULARY, slots, maxTokens, new int[] {EOS});
        cache = new int[slots][maxTokens];
        logits = new Logits(FloatBuffer.allocate((slots + 64) * VOCABULARY), VOCABULARY);
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer, the engine thread
    public Logits run(StepPlan plan) {
        runs++;
        onRun.accept(plan);
        for (StepPlan.SlotMove move : plan.moves()) {
            System.arraycopy(cache[move.from()], 0, cache[move.to()], 0, move.tokens());
            Arrays.fill(cache[move.from()], -1);
            movedTokens += move.tokens();
        }
        for (int row = 0; row < plan.decodeRows(); row++) {
            cache[row][plan.position(row)] = plan.isActive(row) ? plan.token(row) : -1;
            if (plan.isActive(row)) {
                score(cache[row], plan.position(row) + 1, row);
            } else {
                idleRows++;
            }
        }
        List<PrefillChunk> chunks = plan.chunks();
        for (int i = 0; i < chunks.size(); i++) {
            PrefillChunk chunk = chunks.get(i);
            System.arraycopy(chunk.tokens(), chunk.start(), cache[chunk.slot()], chunk.start(), chunk.length());
            if (chunk.wantsLogits()) {
                score(cache[chunk.slot()], chunk.start() + chunk.length(), shape.slots() + i);
            }
        }
        return logits;
    }

    private void score(int[] tokens, int length, int row) {
        long hash = hash(tokens, length);
        for (int token = 0; token < VOCABULARY; token++) {
            hash = hash * 6364136223846793005L + 1442695040888963407L;
            logits.values().put(logits.offset(row) + token, (hash >>> 40) / (float) (1 << 22));
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
        FakeModelRunner model = new FakeModelRunner(1, maxTokens);
        Sampler sampler = new Sampler(VOCABULARY);
        TokenSubscription nobody = new TokenSubscription(new RecordingSubscriber(), command -> {});
        Sequence sequence = new Sequence(request, nobody, model.shape, 0, () -> {});
        int[] tokens = Arrays.copyOf(request.promptTokens(), maxTokens);
        int length = request.promptTokens().length;
        List<Integer> generated = new ArrayList<>();
        while (!sequence.isFinished()) {
            model.score(tokens, length, 0);
            int token = sampler.sample(
                    model.logits.values(), 0, request.sampling(), sequence.suppressedTokens(), sequence.random());
            tokens[length++] = token;
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
