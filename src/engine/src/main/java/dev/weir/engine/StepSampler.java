package dev.weir.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Chooses the tokens of a step's rows, on several threads where there are scores enough for them: the cores that compute the model
 * have nothing else to do then. Owned by the engine thread, which is one of them.
 *
 * <p>A row's token depends on nothing but the row and its sequence, so that it does not matter who chooses it. Rows with a {@link
 * TokenConstraint} are the engine thread's, as sequences may share what their constraints remember.
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
        choices.get(size++).of(sequence, row);
    }

    int size() {
        return size;
    }

    Choice choice(int number) {
        return choices.get(number);
    }

    /** Makes all choices; those that fail say so when they are asked. */
    void choose(Logits logits) {
        int most = logits.hasParallelReads() ? samplers.size() : 1;
        int threads = Math.clamp((long) size * vocabularySize / scoresPerThread, 1, most);
        Work work = new Work(logits, size);
        for (int i = 1; i < threads; i++) {
            Sampler sampler = samplers.get(i);
            helpers.execute(() -> work.choose(sampler));
        }
        for (int i = 0; i < size; i++) {
            if (choices.get(i).sequence().isConstrained()) {
                choices.get(i).choose(samplers.getFirst(), logits);
                work.left.countDown();
            }
        }
        work.choose(samplers.getFirst());
        work.await();
    }

    /** A step's rows, from which each thread takes the next one that nobody has. */
    private final class Work {
        private final Logits logits;
        private final int rows;
        private final AtomicInteger next = new AtomicInteger();
        private final CountDownLatch left;

        Work(Logits logits, int rows) {
            this.logits = logits;
            this.rows = rows;
            left = new CountDownLatch(rows);
        }

        void choose(Sampler sampler) {
            int row;
            while ((row = next.getAndIncrement()) < rows) {
                Choice choice = choices.get(row);
                if (!choice.sequence().isConstrained()) {
                    choice.choose(sampler, logits);
                    left.countDown();
                }
            }
        }

        void await() {
            boolean isInterrupted = false;
            while (left.getCount() > 0) {
                try {
                    left.await();
                } catch (InterruptedException e) {
                    isInterrupted = true;
                }
            }
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        helpers.shutdown();
    }
}
