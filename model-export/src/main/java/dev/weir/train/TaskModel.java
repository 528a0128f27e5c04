package dev.weir.train;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A GPT with the head of a task, in libtorch. Owned by the thread of its weights.
 *
 * <p>Shapes: E examples, S sequences, N tokens that have a successor, d width, L outputs, C choices at most.
 */
final class TaskModel implements HeadedModel {
    /** Most logits of one pass, 256 MB of them. */
    private static final int MOST_LOGITS = 1 << 26;
    /** More tokens in a pass make it no faster. */
    private static final int MOST_TOKENS = 8192;

    private static final long SUM = 2;
    private static final long NOTHING_IGNORED = -100;

    private final GptModel model;
    private final TaskHead head;
    private final TargetScale scale;

    /**
     * A model whose head answers as its target is written.
     *
     * @throws UserError if the weights have no head
     */
    TaskModel(GptModel model) {
        this(model, TargetScale.NONE);
    }

    /** A model whose head answers on a scale of its own. */
    TaskModel(GptModel model, TargetScale scale) {
        this.model = model;
        this.scale = scale;
        head = model.parameters()
                .head()
                .orElseThrow(() -> new UserError("the model has no head for a task: give one that finetune wrote"));
    }

    @Override
    public TaskHead head() {
        return head;
    }

    GptConfig config() {
        return model.config();
    }

    /** The model without its head. */
    GptModel language() {
        return model;
    }

    /** Most tokens that one pass should have, padding included. */
    int mostTokens() {
        return Math.min(MOST_TOKENS, MOST_LOGITS / model.config().vocabularySize());
    }

    /**
     * Losses of a batch, added up.
     *
     * @param task of each example: cross-entropy in nats, or the squared difference on the head's scale
     * @param language cross-entropy in nats of each token but the first of a sequence; zero where it was not asked for
     */
    record Losses(Tensor task, Tensor language) {}

    Losses losses(TaskBatch batch, boolean withLanguage, Dropout dropout) {
        Tensor hidden = model.hidden(ids(batch), dropout); // [S T, d]
        Tensor task = taskLoss(outputs(hidden, batch, dropout), batch);
        if (!withLanguage) {
            return new Losses(task, Torch.floats(new float[1]));
        }
        // Padding is left out before the largest product of all.
        Tensor before = hidden.index_select(0, Torch.longs(batch.before(), batch.before().length)); // [N, d]
        Tensor next = Torch.longs(batch.next(), batch.next().length);
        return new Losses(task, crossEntropy(model.logits(before), next));
    }

    private static Tensor ids(TaskBatch batch) {
        return Torch.longs(batch.ids(), batch.sequences(), batch.length());
    }

    /** What the head says of each example, [E, L], or of each choice, [S, 1]. */
    private Tensor outputs(Tensor hidden, TaskBatch batch, Dropout dropout) {
        Tensor last = hidden.index_select(0, Torch.longs(batch.last(), batch.last().length)); // [S, d]
        if (head.task() == FinetuneTask.SIMILARITY) {
            last = last.view(batch.examples().size(), 2, config().width()).sum(1); // [E, d]
        }
        Tensor weight = model.parameters().get(TaskHead.WEIGHT); // [L, d]
        return torch.addmm(model.parameters().get(TaskHead.BIAS), dropout.apply(last), weight.t());
    }

    private Tensor taskLoss(Tensor outputs, TaskBatch batch) {
        if (head.task().isNumeric()) {
            float[] targets = new float[batch.examples().size()];
            for (int i = 0; i < targets.length; i++) {
                targets[i] = (float) scale.scaled(batch.examples().get(i).target());
            }
            return torch.mse_loss(outputs, Torch.floats(targets, targets.length, 1), SUM);
        }
        long[] labels = batch.examples().stream().mapToLong(TaskExample::label).toArray();
        Tensor logits = head.task() == FinetuneTask.MULTIPLE_CHOICE ? choices(outputs, batch) : outputs;
        return crossEntropy(logits, Torch.longs(labels, labels.length));
    }

    /** The scores of each example's choices in a row of its own, [E, C]; places without a choice cannot be chosen. */
    private static Tensor choices(Tensor scores, TaskBatch batch) {
        int most = 0;
        for (TaskExample example : batch.examples()) {
            most = Math.max(most, example.sequences().length);
        }
        int examples = batch.examples().size();
        long[] places = new long[examples * most];
        long[] isAbsent = new long[examples * most];
        int row = 0;
        for (int i = 0; i < examples; i++) {
            int count = batch.examples().get(i).sequences().length;
            for (int choice = 0; choice < most; choice++) {
                places[i * most + choice] = choice < count ? row++ : 0;
                isAbsent[i * most + choice] = choice < count ? 0 : 1;
            }
        }
        Tensor rows = scores.index_select(0, Torch.longs(places, places.length)).view(examples, most);
        Tensor absent = Torch.longs(isAbsent, examples, most).to(ScalarType.Bool);
        return rows.masked_fill(absent, new Scalar(Double.NEGATIVE_INFINITY));
    }

    private static Tensor crossEntropy(Tensor logits, Tensor labels) {
        return torch.cross_entropy_loss(logits, labels, new TensorOptional(), SUM, NOTHING_IGNORED, 0.0);
    }

    @Override
    public List<float[]> outputs(List<TaskExample> examples) {
        IdentityHashMap<TaskExample, float[]> found = new IdentityHashMap<>();
        for (TaskBatch batch : TaskBatch.of(examples, mostTokens())) {
            try (PointerScope _ = new PointerScope();
                    NoGradGuard _ = new NoGradGuard()) {
                Tensor hidden = model.hidden(ids(batch), Dropout.NONE);
                float[] flat = Torch.read(outputs(hidden, batch, Dropout.NONE).contiguous());
                int done = 0;
                for (TaskExample example : batch.examples()) {
                    boolean isChoice = head.task() == FinetuneTask.MULTIPLE_CHOICE;
                    float[] values = new float[isChoice ? example.sequences().length : head.outputs()];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) scale.unscaled(flat[done++]);
                    }
                    found.put(example, values);
                }
            }
        }
        List<float[]> inOrder = new ArrayList<>();
        for (TaskExample example : examples) {
            inOrder.add(found.get(example));
        }
        return inOrder;
    }
}
