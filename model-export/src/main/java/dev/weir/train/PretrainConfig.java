package dev.weir.train;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * What makes one run of the language-model loop what it is, in pre-training and in chat tuning. Two runs with equal configs on the same text and threads see the same losses.
 *
 * @param model shape of the model
 * @param steps optimizer steps of the whole run
 * @param batch blocks in one forward pass, or conversations
 * @param accumulate forward passes whose gradients make one step
 * @param schedule learning rate of each step
 * @param beta1 decay of AdamW's mean
 * @param beta2 decay of AdamW's variance
 * @param weightDecay pull of matrices and embeddings towards zero
 * @param clip longest gradient that a step follows unscaled
 * @param evalEvery steps between two looks at the held-out text
 * @param evalBlocks most held-out blocks of one look
 * @param matmul numbers that matrices are multiplied in
 * @param processes that train together, each on its own {@code batch} and {@code accumulate}
 * @param lora what is learned beside the model's matrices instead of them; null where all weights learn
 * @param seed of the first weights, of the blocks drawn and of dropout
 */
record PretrainConfig(
        GptConfig model,
        int steps,
        int batch,
        int accumulate,
        LearningRateSchedule schedule,
        double beta1,
        double beta2,
        double weightDecay,
        double clip,
        int evalEvery,
        int evalBlocks,
        Matmul matmul,
        int processes,
        @Nullable Lora lora,
        long seed) {
    /** The setting's name that tells the numbers that matrices are multiplied in. */
    static final String MATMUL = "matmul";

    private static final String LORA_RANK = "lora-rank";
    private static final String LORA_ALPHA = "lora-alpha";
    private static final String PROCESSES = "processes";

    /** What runs had that were saved before these could be chosen. */
    private static final Map<String, String> ADDED_LATER = Map.ofEntries(
            Map.entry("family", "gpt2"),
            Map.entry("window", "0"),
            Map.entry("output-bias", "false"),
            Map.entry("direction", "ltr"),
            Map.entry(MATMUL, "fp32"),
            Map.entry(PROCESSES, "1"),
            Map.entry(LORA_RANK, "0"),
            Map.entry(LORA_ALPHA, "0.0"));

    PretrainConfig {
        OptionChecks.atLeastOne("--steps", steps);
        OptionChecks.atLeastOne("--batch", batch);
        OptionChecks.atLeastOne("--accumulate", accumulate);
        OptionChecks.atLeastOne("--eval-every", evalEvery);
        OptionChecks.atLeastOne("--eval-blocks", evalBlocks);
        OptionChecks.below1("--beta1", beta1);
        OptionChecks.below1("--beta2", beta2);
        OptionChecks.notNegative("--weight-decay", weightDecay);
        OptionChecks.positive("--clip", clip);
    }

    /** Every setting by its option's name, as printed at the start and kept with the training state. */
    SequencedMap<String, String> describe() {
        SequencedMap<String, String> settings = new LinkedHashMap<>();
        settings.put("family", model.family().label());
        settings.put("layers", String.valueOf(model.layers()));
        settings.put("heads", String.valueOf(model.heads()));
        settings.put("width", String.valueOf(model.width()));
        settings.put("context", String.valueOf(model.context()));
        settings.put("vocabulary", String.valueOf(model.vocabularySize()));
        settings.put("dropout", String.valueOf(model.dropout()));
        settings.put("window", String.valueOf(model.window()));
        settings.put("output-bias", String.valueOf(model.outputBias()));
        settings.put("direction", model.direction().label());
        settings.put("steps", String.valueOf(steps));
        settings.put("batch", String.valueOf(batch));
        settings.put("accumulate", String.valueOf(accumulate));
        settings.put("learning-rate", String.valueOf(schedule.peak()));
        settings.put("min-learning-rate", String.valueOf(schedule.floor()));
        settings.put("warm-up", String.valueOf(schedule.warmUpSteps()));
        settings.put("beta1", String.valueOf(beta1));
        settings.put("beta2", String.valueOf(beta2));
        settings.put("weight-decay", String.valueOf(weightDecay));
        settings.put("clip", String.valueOf(clip));
        settings.put("eval-every", String.valueOf(evalEvery));
        settings.put("eval-blocks", String.valueOf(evalBlocks));
        settings.put(MATMUL, matmul.label());
        settings.put(PROCESSES, String.valueOf(processes));
        settings.put(LORA_RANK, String.valueOf(lora == null ? 0 : lora.rank()));
        settings.put(LORA_ALPHA, String.valueOf(lora == null ? 0.0 : lora.alpha()));
        settings.put("seed", String.valueOf(seed));
        return settings;
    }

    /**
     * Refuses to continue a run that was started with other settings.
     *
     * @throws UserError naming the first setting that differs
     */
    void requireSame(Map<String, String> saved) {
        describe().forEach((name, value) -> {
            String before = saved.getOrDefault(name, ADDED_LATER.get(name));
            if (!value.equals(before)) {
                String option = name.equals("family") ? "the family of --preset" : "--" + name;
                throw new UserError(option + " is " + value + " but the run to resume has " + before
                        + ": give the same value, or start a new run with another --out");
            }
        });
    }
}
