package dev.weir.train;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * What makes one fine-tuning what it is. Two runs with equal configs on the same examples and threads see the same losses.
 *
 * @param model shape of the model, the task's tokens included
 * @param scratch whether it begins with random weights instead of the checkpoint's
 * @param lambda weight of the language model's loss beside the task's
 * @param epochs times that each example is seen
 * @param batch examples of a step
 * @param learningRate rate at the end of the warm-up
 * @param warmUp share of the steps until the full learning rate
 * @param beta1 decay of AdamW's mean
 * @param beta2 decay of AdamW's variance
 * @param weightDecay pull of matrices and embeddings towards zero
 * @param l2sp strength of the pull towards the checkpoint's weights; 0 for none
 * @param freeze blocks that stay as they are, from the first on, and the embeddings with them; null where everything learns
 * @param lora what is learned beside the checkpoint's weights instead of them; null where they learn
 * @param clip longest gradient that a step follows unscaled
 * @param matmul numbers that matrices are multiplied in
 * @param seed of the new weights, of the order of examples and of dropout
 */
record FinetuneConfig(
        GptConfig model,
        boolean scratch,
        double lambda,
        int epochs,
        int batch,
        double learningRate,
        double warmUp,
        double beta1,
        double beta2,
        double weightDecay,
        double l2sp,
        @Nullable Integer freeze,
        @Nullable Lora lora,
        double clip,
        Matmul matmul,
        long seed) {
    FinetuneConfig {
        OptionChecks.notNegative("--lambda", lambda);
        OptionChecks.atLeastOne("--epochs", epochs);
        OptionChecks.atLeastOne("--batch", batch);
        OptionChecks.positive("--learning-rate", learningRate);
        OptionChecks.below1("--warm-up", warmUp);
        OptionChecks.below1("--beta1", beta1);
        OptionChecks.below1("--beta2", beta2);
        OptionChecks.notNegative("--weight-decay", weightDecay);
        OptionChecks.notNegative("--l2sp", l2sp);
        OptionChecks.positive("--clip", clip);
        if (freeze != null && (freeze < 0 || freeze > model.layers())) {
            throw new UserError("--freeze is " + freeze
                    + ": it must be from 0, for the embeddings alone, to the model's " + model.layers() + " blocks");
        }
        if (scratch && (freeze != null || l2sp > 0)) {
            throw new UserError(
                    "--scratch begins with random weights, which --freeze and --l2sp would keep: leave them out");
        }
        if (lora != null && (scratch || freeze != null || l2sp > 0)) {
            throw new UserError(
                    "--lora-rank keeps all of the checkpoint's weights: leave out --scratch, --freeze and " + "--l2sp");
        }
    }

    /** Optimizer steps of a run on so many examples. */
    int steps(int examples) {
        return Math.multiplyExact(epochs, EpochOrder.steps(examples, batch));
    }

    LinearSchedule schedule(int examples) {
        int steps = steps(examples);
        return new LinearSchedule(learningRate, (int) (warmUp * steps), steps);
    }

    /** The weights that a run begins with: the start's, and what is learned beside them. */
    GptWeights beginning(TaskWeights start) {
        return lora == null
                ? start
                : new LoraWeights(start, lora.withNewTokens(start.firstNew(), start.endNew()), seed);
    }

    /** Which weights are trained: what the task has added, and of the others what is not frozen. */
    GptParameters.Trained trained(TaskWeights start) {
        return (name, elements) -> {
            if (lora != null && name.equals(GptConfig.OUTPUT_BIAS)) {
                return new GptParameters.Span(0, 0); // an adapter has no place for it
            }
            return isFrozen(name) ? start.added(name, elements) : new GptParameters.Span(0, elements);
        };
    }

    private boolean isFrozen(String name) {
        if (lora != null) {
            return !Lora.isName(name);
        }
        if (freeze == null) {
            return false;
        }
        boolean isEmbedding = name.equals(model.family().tokenEmbedding())
                || name.equals(model.family().positionEmbedding());
        return isEmbedding
                || (name.startsWith("h.") && Integer.parseInt(name.substring(2, name.indexOf('.', 2))) < freeze);
    }

    /** Every setting by its option's name, as printed at the start and kept with the model. */
    SequencedMap<String, String> describe() {
        SequencedMap<String, String> settings = new LinkedHashMap<>();
        settings.put("model", model.toString());
        settings.put("scratch", String.valueOf(scratch));
        settings.put("lambda", String.valueOf(lambda));
        settings.put("epochs", String.valueOf(epochs));
        settings.put("batch", String.valueOf(batch));
        settings.put("learning-rate", String.valueOf(learningRate));
        settings.put("warm-up", String.valueOf(warmUp));
        settings.put("beta1", String.valueOf(beta1));
        settings.put("beta2", String.valueOf(beta2));
        settings.put("weight-decay", String.valueOf(weightDecay));
        settings.put("l2sp", String.valueOf(l2sp));
        settings.put("freeze", freeze == null ? "none" : String.valueOf(freeze));
        settings.put("lora-rank", lora == null ? "none" : String.valueOf(lora.rank()));
        if (lora != null) {
            settings.put("lora-alpha", String.valueOf(lora.alpha()));
        }
        settings.put("clip", String.valueOf(clip));
        settings.put("matmul", matmul.label());
        settings.put("seed", String.valueOf(seed));
        return settings;
    }
}
