package dev.weir.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the tokens of a step's rows, on several threads where there are scores enough for them: the cores that compute the model
 * have nothing else to do then. Owned by the engine thread, which is one of them.
 *
 * <p>A row's token depends on nothing but the row and its sequence, so that it does not matter who chooses it. What a {@link
 * TokenConstraint} allows is known before, as sequences may share what theirs remember.
 */
final class StepSampler implements AutoCloseable {
    /** So many scores are gone through in the time that it takes to wake a thread several times over. */
    private static final int SCORES_PER_THREAD = 400_000;

    private final int vocabularySize;
    private final int scoresPerThread;
    /** One for each thread, the engine thread's first. */
    private final List<Sampler> samplers = new ArrayList<>();

    private final ExecutorService helpers;
    private final List<Choice> choices = new ArrayList<>();
    private int size;
    /** Rows of which all scores are needed, or their sum. */
    private int[] rows = new int[0];

    private float[] inverses = new float[0];
    private float[] sums = new float[0];

    /**
     * Without choices.
     *
     * @param threads that choose at most, the engine thread included
     */
    StepSampler(int vocabularySize, int threads) {
        this(vocabularySize, threads, SCORES_PER_THREAD);
    }

    StepSampler(int vocabularySize, int threads, int scoresPerThread) {
        this.vocabularySize = vocabularySize;
        this.scoresPerThread = scoresPerThread;
        for (int i = 0; i < threads; i++) {
            samplers.add(new Sampler(vocabularySize));
        }
        helpers = Executors.newFixedThreadPool(
                Math.max(1, threads - 1),
                Thread.ofPlatform()
                        .name("weir-sampler-", 1)
                        .daemon()
                        .factory()); // which starts threads when first needed
    }

    /** Forgets the step before. */
    void clear() {
        size = 0;
    }

    /** A token is wanted for the sequence. */
    void add(Sequence sequence, int row) {
        if (size == choices.size()) {
            choices.add(new Choice());
        }
        choices.get(size++).begin(sequence, row);
    }

    int size() {
        return size;
    }

    Choice choice(int number) {
        return choices.get(number);
    }

    /** Makes all choices; those that fail say so when they are asked. */
    void choose(Logits logits) {
        if (rows.length < size) {
            rows = new int[choices.size()];
            inverses = new float[choices.size()];
            sums = new float[choices.size()];
        }
        for (int i = 0; i < size; i++) {
            choices.get(i).prepare();
        }
        if (logits.addsUp()) {
            chooseBySums(logits);
        }
        int wholes = 0;
        for (int i = 0; i < size; i++) {
            Choice choice = choices.get(i);
            if (choice.needsAll(logits)) {
                rows[wholes++] = choice.row();
            }
        }
        logits.load(rows, wholes);
        int threads = Math.clamp((long) wholes * vocabularySize / scoresPerThread, 1, samplers.size());
        if (threads > 1) {
            chooseTogether(logits, threads);
            return;
        }
        for (int i = 0; i < size; i++) {
            choices.get(i).choose(samplers.getFirst(), logits);
        }
    }

    /** Makes the choices that the sums of rows and their ranked scores decide. */
    private void chooseBySums(Logits logits) {
        int count = 0;
        for (int i = 0; i < size; i++) {
            float inverse = choices.get(i).inverseToSum(logits);
            if (inverse > 0) {
                rows[count] = choices.get(i).row();
                inverses[count++] = inverse;
            }
        }
        if (count == 0) {
            return;
        }
        logits.sum(rows, inverses, count, sums);
        int next = 0;
        for (int i = 0; i < size && next < count; i++) {
            Choice choice = choices.get(i);
            if (choice.row() == rows[next]) {
                choice.chooseBySum(samplers.getFirst(), logits, sums[next++]);
            }
        }
    }

    private void chooseTogether(Logits logits, int threads) {
        Work work = new Work(logits, size);
        for (int i = 1; i < threads; i++) {
            Sampler sampler = samplers.get(i);
            helpers.execute(() -> work.choose(sampler));
        }
        work.choose(samplers.getFirst());
        work.done.join();
    }

    /** A step's rows, from which each thread takes the next one that nobody has. A thread that comes too late finds none. */
    private final class Work {
        private final Logits logits;
        private final int rows;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger left;
        private final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();

        Work(Logits logits, int rows) {
            this.logits = logits;
            this.rows = rows;
            left = new AtomicInteger(rows);
        }

        void choose(Sampler sampler) {
            int row;
            while ((row = next.getAndIncrement()) < rows) {
                choices.get(row).choose(sampler, logits);
                if (left.decrementAndGet() == 0) {
                    done.complete(null);
                }
            }
        }
    }

    @Override
    public void close() {
        helpers.shutdown();
    }
}
