package dev.weir.train;

import java.io.IOException;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The language-model loop, of pre-training and of chat tuning: next-token prediction with AdamW. Owned by the thread that calls
 * {@link #run}.
 *
 * <p>Each step draws blocks, averages the gradients of {@code accumulate} forward passes, clips them and moves the weights.
 * Every {@code eval-every} steps the held-out blocks are scored and the state saved; the weights with the lowest held-out loss
 * so far are kept apart. A run that is stopped saves first, and resumed sees the very losses that it would have seen. A run
 * that is given a plain text scores it too, already before the first step, since on it shows what is forgotten.
 *
 * <p>Several processes may run the loop together: each has its own blocks, their gradients are averaged, and the first alone
 * validates and saves.
 */
final class Pretrainer {
    private final PretrainConfig config;
    private final BlockSource blocks;
    private final @Nullable PlainText plain;
    private final GptParameters parameters;
    private final GptModel trained;
    private final GptModel model;
    private final AdamW optimizer;
    private final Listener listener;
    private final Peers peers;
    private TrainingState.Progress progress;

    /** Who watches a run and keeps what it makes; called on the run's thread. */
    interface Listener {
        /** Neither watches nor keeps. */
        Listener NONE = new Listener() {
            @Override
            public void stepped(StepReport report) {}

            @Override
            public void evaluated(Pretrainer run, Evaluation evaluation, boolean best) {}

            @Override
            public void interrupted(Pretrainer run) {}
        };

        void stepped(StepReport report) throws IOException;

        /** The held-out text was scored after the step; {@code best} if never better before. Then saves. */
        void evaluated(Pretrainer run, Evaluation evaluation, boolean best) throws IOException;

        /** The run was asked to stop between two looks at the held-out text. Saves. */
        void interrupted(Pretrainer run) throws IOException;
    }

    /**
     * One step.
     *
     * @param step number of steps done, this one included
     * @param loss mean loss of its blocks in nats per token, before the step moved the weights
     * @param gradientNorm length of the gradient before clipping
     * @param tokens that went through the model, padding included; for all processes if they had as many as this one
     * @param seconds time it took
     */
    record StepReport(int step, double loss, double learningRate, double gradientNorm, long tokens, double seconds) {}

    /**
     * How well the held-out blocks are predicted.
     *
     * @param loss nats per token
     * @param bitsPerByte the same over the bytes that the tokens stand for, which other vocabularies can be compared by
     * @param plainLoss of the plain text in nats per token, if there is one
     */
    record Evaluation(int step, double loss, double bitsPerByte, OptionalDouble plainLoss) {}

    /** A new run from random weights. */
    static Pretrainer start(PretrainConfig config, BlockSource blocks, Listener listener) {
        return start(config, blocks, null, new RandomGptWeights(config.model(), config.seed()), listener, Peers.NONE);
    }

    /** A new run from given weights of the config's shape. */
    static Pretrainer start(
            PretrainConfig config,
            BlockSource blocks,
            @Nullable PlainText plain,
            GptWeights initial,
            Listener listener,
            Peers peers) {
        return new Pretrainer(
                config, blocks, plain, new GptParameters(initial), TrainingState.Progress.START, listener, peers);
    }

    /** A run that goes on where it was saved. */
    static Pretrainer resume(
            PretrainConfig config,
            BlockSource blocks,
            @Nullable PlainText plain,
            TrainingState.Saved saved,
            Listener listener,
            Peers peers) {
        config.requireSame(saved.settings());
        GptParameters parameters = new GptParameters(saved.weights(config));
        Pretrainer pretrainer = new Pretrainer(config, blocks, plain, parameters, saved.progress(), listener, peers);
        saved.restore(pretrainer.optimizer);
        return pretrainer;
    }

    private Pretrainer(
            PretrainConfig config,
            BlockSource blocks,
            @Nullable PlainText plain,
            GptParameters parameters,
            TrainingState.Progress progress,
            Listener listener,
            Peers peers) {
        this.config = config;
        this.blocks = blocks;
        this.plain = plain;
        this.parameters = parameters;
        this.progress = progress;
        this.listener = listener;
        this.peers = peers;
        trained = new GptModel(parameters, config.matmul());
        model = new GptModel(parameters);
        optimizer = new AdamW(parameters, config.beta1(), config.beta2(), config.weightDecay());
    }

    GptParameters parameters() {
        return parameters;
    }

    AdamW optimizer() {
        return optimizer;
    }

    /** The model as it is evaluated, in float32. */
    GptModel model() {
        return model;
    }

    TrainingState.Progress progress() {
        return progress;
    }

    /**
     * Trains up to the last step, or until asked to stop.
     *
     * @return whether the last step was reached
     * @throws DivergedException if the loss is no longer a number
     */
    boolean run(BooleanSupplier stop) throws IOException {
        if (progress.step() == 0 && plain != null) {
            evaluateAndSave();
        }
        while (progress.step() < config.steps()) {
            if (peers.any(stop.getAsBoolean())) {
                listener.interrupted(this);
                return false;
            }
            StepReport report = step(progress.step());
            progress = new TrainingState.Progress(
                    report.step(), progress.bestLoss(), progress.bestStep(), progress.seconds() + report.seconds());
            listener.stepped(report);
            if (report.step() % config.evalEvery() == 0 || report.step() == config.steps()) {
                evaluateAndSave();
            }
        }
        return true;
    }

    private StepReport step(int step) {
        long started = System.nanoTime();
        double learningRate = config.schedule().at(step);
        optimizer.zeroGradients();
        double loss = 0;
        long tokens = 0;
        for (int part = 0; part < config.accumulate(); part++) {
            long number = ((long) step * config.accumulate() + part) * peers.size() + peers.rank();
            TokenBatch batch = blocks.trainingBatch(
                    config.seed(), number, config.batch(), config.model().context());
            loss += accumulateGradients(batch, number) / config.accumulate();
            tokens += batch.ids().length;
        }
        peers.average(parameters.gradients());
        loss = peers.average(loss);
        double norm = optimizer.clip(config.clip());
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new DivergedException(step + 1, loss, norm);
        }
        optimizer.step(learningRate);
        return new StepReport(
                step + 1, loss, learningRate, norm, tokens * peers.size(), (System.nanoTime() - started) / 1e9);
    }

    /** One forward and backward pass; returns its mean loss. The scope frees every activation at its end. */
    private double accumulateGradients(TokenBatch batch, long number) {
        Dropout dropout = new Dropout(config.model().dropout(), Seeds.mix(config.seed(), number));
        try (PointerScope _ = new PointerScope()) {
            Tensor loss = trained.loss(batch, dropout);
            loss.div(new Scalar((double) config.accumulate())).backward();
            return loss.item_float();
        }
    }

    private void evaluateAndSave() throws IOException {
        if (!peers.leads()) {
            return; // the others wait for it where gradients are averaged
        }
        Evaluation evaluation = evaluate();
        boolean best = evaluation.loss() < progress.bestLoss();
        if (best) {
            progress =
                    new TrainingState.Progress(progress.step(), evaluation.loss(), progress.step(), progress.seconds());
        }
        listener.evaluated(this, evaluation, best);
    }

    /** Scores the held-out blocks, and the plain text, with the weights as they are. */
    Evaluation evaluate() {
        double nats = 0;
        long tokens = 0;
        long bytes = 0;
        List<TokenBatch> batches =
                blocks.validationBatches(config.batch(), config.model().context(), config.evalBlocks());
        for (TokenBatch batch : batches) {
            try (PointerScope _ = new PointerScope();
                    NoGradGuard _ = new NoGradGuard()) {
                Tensor loss = model.loss(batch, Dropout.NONE);
                nats += (double) loss.item_float() * batch.targets().length;
            }
            tokens += batch.targets().length;
            bytes += batch.targetBytes();
        }
        OptionalDouble plainLoss = plain == null ? OptionalDouble.empty() : OptionalDouble.of(plain.loss(model));
        return new Evaluation(progress.step(), nats / tokens, nats / Math.log(2) / bytes, plainLoss);
    }
}
