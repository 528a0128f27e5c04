package dev.weir.engine;

import dev.weir.engine.EngineListener.StepStats;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The engine thread's loop: apply commands, plan a step, run it, sample and commit, publish. Everything it touches is its
 * own, but for the command queue, the streams' demand and the {@link EngineStats} snapshot.
 *
 * <p>A step is a transaction: subscribers see its tokens only after the books are closed on it, cancellations apply
 * between steps, and a step that fails ends just the sequences that it computed. One that is {@linkplain Interruption given up}
 * for a request is planned again as if it had not begun.
 */
final class EngineCore implements Runnable {
    private static final System.Logger LOG = System.getLogger(EngineCore.class.getName());

    private final ModelRunner runner;
    private final ModelShape shape;
    private final EngineListener listener;
    private final BlockingQueue<EngineCommand> commands;
    private final Scheduler scheduler;
    private final StepSampler sampler;
    private final StepOutputs outputs;
    private final Interruption interruption;
    private final StepPlan plan;
    private final List<EngineCommand> inbox = new ArrayList<>();
    private final List<Sequence> admitted = new ArrayList<>();
    /** Sequences with a token that their subscribers have not heard of. */
    private final Queue<Sequence> outbox = new ArrayDeque<>();

    private boolean stopping;
    private long stepNumber;
    private long lastFinishNanos;
    private long shortestStepNanos;
    /** Time in which the current step's tokens were chosen. */
    private long sampleNanos;

    private int draftedTokens;
    private int acceptedTokens;

    /** Read by any thread. */
    private volatile EngineStats stats;

    private volatile double nanosPerFinish;
    private volatile @Nullable Throwable failure;
    private volatile boolean hasEnded;

    EngineCore(
            ModelRunner runner, EngineConfig config, EngineListener listener, BlockingQueue<EngineCommand> commands) {
        this.runner = runner;
        this.listener = listener;
        this.commands = commands;
        shape = runner.shape();
        scheduler = new Scheduler(
                config,
                shape.draftTokens(),
                runner.computesApart(),
                new KvCacheManager(shape.slots(), shape.cacheBlocks()),
                new PrefixCache(shape.prefixPool()));
        sampler = new StepSampler(shape.vocabularySize(), runner.threads());
        outputs = new StepOutputs(shape.vocabularySize());
        plan = new StepPlan(shape.slots());
        interruption = new Interruption(runner);
        stats = snapshot();
    }

    @Override
    public void run() {
        try {
            while (!stopping) {
                commands.drainTo(inbox);
                applyInbox();
                if (stopping) {
                    break;
                }
                admitted.clear();
                long planStart = System.nanoTime();
                dropLate(planStart);
                scheduler.schedule(plan, admitted);
                reportAdmitted();
                if (plan.isEmpty()) {
                    stats = snapshot();
                    awaitCommand();
                } else {
                    step(planStart);
                    stats = snapshot();
                }
            }
        } catch (InterruptedException e) {
            LOG.log(System.Logger.Level.WARNING, "the engine thread was interrupted and ends");
        } catch (Throwable e) {
            failure = e;
            LOG.log(System.Logger.Level.ERROR, "the engine thread failed and ends", e);
        } finally {
            end();
        }
    }

    private void awaitCommand() throws InterruptedException {
        OptionalLong nanos = scheduler.untilDeadline(System.nanoTime());
        EngineCommand command =
                nanos.isPresent() ? commands.poll(nanos.getAsLong(), TimeUnit.NANOSECONDS) : commands.take();
        if (command != null) {
            inbox.add(command);
            applyInbox();
        }
    }

    /** Nothing more is computed for those that cannot be answered in time. */
    private void dropLate(long now) {
        for (Sequence sequence : scheduler.late(now, shortestStepNanos)) {
            drop(sequence);
        }
    }

    private void drop(Sequence sequence) {
        Duration limit = Objects.requireNonNull(sequence.request.timeLimit());
        close(sequence, FinishReason.CANCELLED);
        stats = snapshot(); // who hears of it already finds the slot free
        sequence.stream.fail(new DeadlineExceededException(limit, sequence.generatedTokens()));
    }

    private void applyInbox() {
        for (EngineCommand command : inbox) {
            switch (command) {
                case EngineCommand.Submit(Sequence sequence) -> {
                    if (sequence.stream.hasEnded()) {
                        close(sequence, FinishReason.CANCELLED);
                    } else {
                        scheduler.submit(sequence);
                        if (!scheduler.isInTime(sequence, System.nanoTime(), shortestStepNanos, nanosPerFinish)) {
                            drop(sequence);
                        }
                    }
                }
                case EngineCommand.Cancel(Sequence sequence) -> close(sequence, FinishReason.CANCELLED);
                case EngineCommand.Demand(Sequence sequence) ->
                    scheduler.preemption().resume(sequence);
                case EngineCommand.Away(Sequence sequence, boolean isAway) -> scheduler.setAway(sequence, isAway);
                case EngineCommand.Stop() -> stopping = true;
            }
        }
        inbox.clear();
    }

    private void step(long planStart) {
        stepNumber++;
        sampleNanos = 0;
        draftedTokens = 0;
        acceptedTokens = 0;
        StepEvent event = new StepEvent();
        event.begin();
        long runStart = System.nanoTime();
        try {
            Logits logits = compute(runStart);
            long commitStart = System.nanoTime();
            commitLoads();
            int prefillTokens = commitChunks(logits);
            commitTokens(logits);
            publish();
            if (draftedTokens == 0 && runner.computesApart()) {
                scheduler.pace().observe(prefillTokens, plan.decodeRows(), commitStart - runStart);
            }
            long end = System.nanoTime();
            shortestStepNanos = SchedulingPolicy.shortestStep(shortestStepNanos, end - planStart);
            StepStats stats = new StepStats(
                    plan.activeRows(),
                    prefillTokens,
                    plan.decodeRows() - plan.activeRows(),
                    draftedTokens,
                    acceptedTokens,
                    runStart - planStart,
                    commitStart - runStart,
                    sampleNanos,
                    end - commitStart);
            listener.stepped(stats);
            if (event.isEnabled()) {
                event.record(stepNumber, stats, scheduler.waiting());
            }
        } catch (StepInterruptedException e) { // nobody has lost anything but time: the rows are planned again
            commitLoads();
            listener.interrupted(System.nanoTime() - runStart);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            failStep(e);
        }
    }

    /** Runs the plan, which a request may {@linkplain Interruption interrupt} if it holds nothing but rows. */
    private Logits compute(long start) {
        if (!plan.chunks().isEmpty() || plan.decodeRows() == 0) {
            return runner.run(plan);
        }
        interruption.begins(plan.decodeRows(), scheduler.shareUnderFlood(), start);
        boolean areComputed = false;
        try {
            Logits logits = runner.run(plan);
            areComputed = true;
            return logits;
        } finally {
            interruption.ended(areComputed, System.nanoTime());
        }
    }

    private void commitLoads() {
        for (StepPlan.BlockCopy load : plan.loads()) {
            scheduler.owner(load.slot()).loaded(shape.prefixPool().blockTokens());
        }
    }

    private int commitChunks(Logits logits) {
        sampler.clear();
        List<PrefillChunk> chunks = plan.chunks();
        int tokens = 0;
        for (int i = 0; i < chunks.size(); i++) {
            PrefillChunk chunk = chunks.get(i);
            Sequence sequence = scheduler.owner(chunk.slot());
            if (chunk.isDraft()) {
                commitDraft(sequence, chunk, logits, shape.slots() + i);
                continue;
            }
            sequence.computed(chunk.length());
            tokens += chunk.length();
            if (chunk.wantsLogits()) {
                sampler.add(sequence, shape.slots() + i);
            }
        }
        return tokens;
    }

    /** Chooses the next tokens of all whose prompt is computed, and closes the books on them. */
    private void commitTokens(Logits logits) {
        for (int row = 0; row < plan.decodeRows(); row++) {
            if (plan.isActive(row)) {
                Sequence sequence = scheduler.owner(row);
                sequence.computed(1);
                sampler.add(sequence, row);
            }
        }
        choose(logits);
        for (int i = 0; i < sampler.size(); i++) {
            commit(sampler.choice(i));
        }
    }

    private void choose(Logits logits) {
        long start = System.nanoTime();
        sampler.choose(logits);
        sampleNanos += System.nanoTime() - start;
    }

    /**
     * Chooses tokens one after the other for as long as each is what was guessed; what was computed behind them counts for
     * nothing.
     */
    private void commitDraft(Sequence sequence, PrefillChunk draft, Logits logits, int firstRow) {
        int guesses = draft.length() - 1;
        int held = 0;
        while (true) {
            int newest = draft.start() + held;
            int guess = held < guesses ? draft.tokens()[newest + 1] : Sampler.NO_TOKEN; // before it is written over
            sequence.computed(1);
            sampler.clear();
            sampler.add(sequence, firstRow + held);
            choose(logits);
            if (!commit(sampler.choice(0)) || sequence.lastToken() != guess) {
                break;
            }
            held++;
        }
        sampler.clear();
        sequence.judgeDraft(guesses, held);
        draftedTokens = guesses;
        acceptedTokens = held;
    }

    /**
     * Closes the books on a sequence's next token.
     *
     * @return whether more tokens follow
     */
    private boolean commit(Choice choice) {
        Sequence sequence = choice.sequence();
        boolean isFirst = sequence.generatedTokens() == 0;
        long previous = sequence.lastTokenNanos();
        long now = System.nanoTime();
        try {
            int token = choice.token();
            if (token == Sampler.NO_TOKEN) {
                publish();
                close(sequence, FinishReason.ERROR);
                sequence.stream.fail(new NoTokenAllowedException(sequence.generatedTokens()));
                return false;
            }
            TokenLogprobs logprobs = choice.logprobs();
            if (logprobs != null) {
                sequence.tell(logprobs);
            }
            sequence.append(token, now);
            if (sequence.untoldTokens() == 1) {
                outbox.add(sequence);
            }
            scheduler.generated(sequence);
        } catch (RuntimeException e) { // its scores or its constraint are unusable; others are none the worse for it
            failure = e;
            LOG.log(System.Logger.Level.ERROR, "step " + stepNumber + " gave no token for " + sequence, e);
            publish();
            fail(sequence, e);
            return false;
        }
        if (isFirst) {
            listener.firstToken(sequence.request, now - sequence.arrivalNanos);
            if (shape.prefixPool().blocks() > 0) {
                listener.prefixLookedUp(sequence.request, sequence.cachedTokens());
            }
        } else {
            listener.nextToken(sequence.request, now - previous);
        }
        FinishReason reason = sequence.finishReason();
        if (reason != null) {
            close(sequence, reason);
        }
        return reason == null;
    }

    /**
     * Tells the subscribers of the step's tokens, all at once: an event loop that takes them on is woken for a step rather
     * than for each token.
     */
    private void publish() {
        Sequence sequence;
        while ((sequence = outbox.poll()) != null) { // each once, even if telling one of them fails the step
            sequence.stream.next(sequence.news(outputs));
            if (sequence.isFinished()) {
                sequence.stream.complete();
            }
        }
    }

    /** Ends a sequence's life in the engine; its stream is told by the caller, if it must be told at all. */
    private void close(Sequence sequence, FinishReason reason) {
        if (sequence.status() == Sequence.Status.FINISHED) {
            return;
        }
        scheduler.finish(sequence, reason);
        long now = System.nanoTime();
        measureDepartures(now);
        listener.finished(sequence.request, reason, sequence.generatedTokens(), now - sequence.arrivalNanos);
    }

    /** The rate of departures says something about waiting times only while somebody waits. */
    private void measureDepartures(long now) {
        if (!scheduler.hasWaitingReaders()) {
            lastFinishNanos = 0;
            return;
        }
        if (lastFinishNanos != 0) {
            double average = nanosPerFinish;
            double interval = now - lastFinishNanos;
            nanosPerFinish = average == 0 ? interval : average + 0.1 * (interval - average);
        }
        lastFinishNanos = now;
    }

    private void failStep(Throwable cause) {
        publish();
        scheduler.sharing().forgetSaves();
        failure = cause;
        List<Sequence> failed = scheduler.sequencesOf(plan);
        LOG.log(System.Logger.Level.ERROR, "step " + stepNumber + " failed; it held " + failed, cause);
        for (Sequence sequence : failed) {
            fail(sequence, cause);
        }
    }

    /** Whoever hears of the failure already finds it in {@link #stats()}. */
    private void fail(Sequence sequence, Throwable cause) {
        close(sequence, FinishReason.ERROR);
        stats = snapshot();
        sequence.stream.fail(new EngineFailedException("the model failed while computing this request", cause));
    }

    private void reportAdmitted() {
        if (!admitted.isEmpty()) {
            long now = System.nanoTime();
            for (Sequence sequence : admitted) {
                listener.admitted(sequence.request, now - sequence.arrivalNanos);
            }
        }
    }

    private EngineStats snapshot() {
        int parked = scheduler.parked();
        return new EngineStats(
                scheduler.running(),
                parked,
                scheduler.waiting(),
                shape.slots(),
                scheduler.cache().cachedTokens(),
                scheduler.cache().capacityTokens(),
                scheduler.sharing().cache().usedBlocks(),
                shape.prefixPool().blocks(),
                scheduler.preemption().count(),
                failure == null);
    }

    /** Tells everybody who is still waiting, then gives the model back. */
    private void end() {
        hasEnded = true;
        stats = snapshot();
        commands.drainTo(inbox);
        for (EngineCommand command : inbox) {
            if (command instanceof EngineCommand.Submit(Sequence sequence)) {
                scheduler.submit(sequence);
            }
        }
        for (Sequence sequence : scheduler.unfinished()) {
            close(sequence, FinishReason.ERROR);
            Throwable cause = failure;
            sequence.stream.fail(
                    cause == null
                            ? new EngineFailedException("the engine is closed")
                            : new EngineFailedException("the engine has failed", cause));
        }
        sampler.close();
        try {
            runner.close();
        } catch (RuntimeException e) { // as of a device that is gone
            LOG.log(System.Logger.Level.ERROR, "the model does not give back all that it holds", e);
        }
    }

    EngineStats stats() {
        return stats;
    }

    double nanosPerFinish() {
        return nanosPerFinish;
    }

    boolean hasEnded() {
        return hasEnded;
    }

    Interruption interruption() {
        return interruption;
    }

    Scheduler scheduler() {
        return scheduler;
    }
}
