package dev.weir.train;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The fine-tuning loop (Radford et al., 2018): a task's loss and, weighted by lambda, the language model's loss, with AdamW. The
 * language is that of the examples' own texts, as in the paper, or of a text that is rehearsed (Robins, 1995), about as many
 * tokens of it as the examples have. Owned by the thread that calls {@link #run}.
 *
 * <p>A step's examples go through the model in parts of similar length and bounded size, whose gradients add up to those of the
 * whole. After each epoch the dev examples are scored, and the plain text on which forgetting shows.
 */
final class Finetuner {
    private final FinetuneConfig config;
    private final Data data;
    private final TargetScale scale;
    private final GptParameters parameters;
    private final TaskModel trained;
    private final GptModel model;
    private final AdamW optimizer;
    private final @Nullable L2Sp pull;
    private final Listener listener;
    private @Nullable Evaluation best;
    private double seconds;

    /**
     * What a run learns from and is measured on.
     *
     * @param text on which forgetting shows
     * @param rehearsal what the language model's loss is taken over; null for the examples themselves
     */
    record Data(
            List<TaskExample> train,
            List<TaskExample> dev,
            PlainText text,
            @Nullable BlockSource rehearsal) {}

    /** Who watches a run and keeps what it makes; called on the run's thread. */
    interface Listener {
        void stepped(StepReport report) throws IOException;

        /** The dev examples were scored after an epoch; {@code isBest} if never better before. Saves. */
        void evaluated(Finetuner run, Evaluation evaluation, boolean isBest) throws IOException;
    }

    /**
     * One step.
     *
     * @param step number of steps done, this one included
     * @param loss what the step made smaller: the task's and lambda times the language model's, and the pull of L2-SP
     * @param task mean loss of its examples, before the step moved the weights
     * @param language mean loss in nats of their tokens, or of those rehearsed; 0 where lambda is
     * @param gradientNorm length of the gradient before clipping
     * @param tokens that went through the model, without padding
     * @param seconds time it took
     */
    record StepReport(
            int step,
            double loss,
            double task,
            double language,
            double learningRate,
            double gradientNorm,
            int tokens,
            double seconds) {}

    /**
     * How the weights do after an epoch.
     *
     * @param languageLoss on the plain text, in nats per token
     */
    record Evaluation(int step, int epoch, HeadScore dev, double languageLoss) {}

    Finetuner(FinetuneConfig config, TaskWeights start, Data data, Listener listener) {
        this.config = config;
        this.data = data;
        this.listener = listener;
        scale = TargetScale.of(start.task(), data.train());
        parameters = new GptParameters(config.beginning(start), config.trained(start));
        trained = new TaskModel(new GptModel(parameters, config.matmul()), scale);
        model = new GptModel(parameters);
        optimizer = new AdamW(parameters, config.beta1(), config.beta2(), config.weightDecay());
        pull = config.l2sp() > 0 ? new L2Sp(parameters, start, config.l2sp()) : null;
    }

    /** The weights as they are trained, with a head on a scale of its own. */
    GptParameters parameters() {
        return parameters;
    }

    /** The weights as they are, with a head that answers as targets are written. */
    GptWeights weights() {
        return scale.workedInto(parameters);
    }

    /** Time spent in steps so far. */
    double seconds() {
        return seconds;
    }

    /**
     * Trains for all epochs, or until asked to stop between two steps.
     *
     * @return whether the last epoch was reached
     * @throws DivergedException if a loss is no longer a number
     */
    boolean run(BooleanSupplier stop) throws IOException {
        LinearSchedule schedule = config.schedule(data.train().size());
        int step = 0;
        for (int epoch = 1; epoch <= config.epochs(); epoch++) {
            for (List<TaskExample> examples :
                    EpochOrder.batches(data.train(), TaskExample::longest, config.batch(), config.seed(), epoch)) {
                if (stop.getAsBoolean()) {
                    return false;
                }
                StepReport report = step(step, examples, schedule.at(step));
                step++;
                seconds += report.seconds();
                listener.stepped(report);
            }
            Evaluation evaluation = evaluate(step, epoch);
            boolean isBest = best == null || evaluation.dev().isBetterThan(best.dev());
            best = isBest ? evaluation : best;
            listener.evaluated(this, evaluation, isBest);
        }
        return true;
    }

    /** The best evaluation so far; there is one after the first epoch. */
    Evaluation best() {
        return Objects.requireNonNull(best, "no epoch is done");
    }

    private StepReport step(int step, List<TaskExample> examples, double learningRate) {
        long started = System.nanoTime();
        List<TaskBatch> parts = TaskBatch.of(examples, trained.mostTokens());
        int tokens = parts.stream().mapToInt(TaskBatch::tokens).sum();
        int predicted = parts.stream().mapToInt(part -> part.next().length).sum();
        optimizer.zeroGradients();
        boolean readsExamples = config.lambda() > 0 && data.rehearsal() == null;
        double task = 0;
        double language = 0;
        for (int i = 0; i < parts.size(); i++) {
            Dropout dropout = new Dropout(config.model().dropout(), Seeds.mix(Seeds.mix(config.seed(), step), i));
            try (PointerScope _ = new PointerScope()) {
                TaskModel.Losses losses = trained.losses(parts.get(i), readsExamples, dropout);
                Tensor loss = losses.task().div(new Scalar((double) examples.size()));
                loss.add(losses.language().mul(new Scalar(config.lambda() / predicted)))
                        .backward();
                task += losses.task().item_float() / examples.size();
                language += losses.language().item_float() / predicted;
            }
        }
        if (config.lambda() > 0 && data.rehearsal() != null) {
            language = rehearse(data.rehearsal(), step, tokens);
        }
        parameters.dropKeptGradients();
        double loss = task + config.lambda() * language + (pull == null ? 0 : pull.addGradient());
        double norm = optimizer.clip(config.clip());
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new DivergedException(step + 1, loss, norm);
        }
        optimizer.step(learningRate);
        return new StepReport(
                step + 1, loss, task, language, learningRate, norm, tokens, (System.nanoTime() - started) / 1e9);
    }

    /** Adds the gradients of about so many tokens of the rehearsed text; returns their mean loss. */
    private double rehearse(BlockSource text, int step, int tokens) {
        int length = Math.min(config.model().context(), tokens);
        TokenBatch blocks = text.trainingBatch(config.seed(), step, Math.ceilDiv(tokens, length), length);
        Dropout dropout = new Dropout(config.model().dropout(), Seeds.mix(Seeds.mix(config.seed(), step), -1));
        try (PointerScope _ = new PointerScope()) {
            Tensor loss = trained.language().loss(blocks, dropout);
            loss.mul(new Scalar(config.lambda())).backward();
            return loss.item_float();
        }
    }

    /** Scores the weights as they are, in float32, as they will be evaluated. */
    private Evaluation evaluate(int step, int epoch) {
        HeadScore dev = HeadScore.of(new TaskModel(model, scale), data.dev());
        double languageLoss = data.text().loss(model);
        if (!Double.isFinite(dev.loss()) || !Double.isFinite(languageLoss)) {
            throw new DivergedException(step, dev.loss(), Double.NaN);
        }
        return new Evaluation(step, epoch, dev, languageLoss);
    }
}
