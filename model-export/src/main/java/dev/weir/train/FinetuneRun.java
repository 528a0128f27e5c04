package dev.weir.train;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;

/**
 * What a fine-tuning was asked for, as its folder tells it. Immutable; any thread.
 *
 * @param command what was typed
 * @param checkpoint the name of the folder that it began with
 * @param settings every setting in effect by its option's name
 * @param train the file to learn from
 * @param dev the file to measure on
 * @param cut how many examples of both were longer than the context
 * @param textSource where the plain text comes from, in words
 * @param languageLossBefore on the plain text before any step, in nats per token
 * @param files what goes into a model's folder beside the weights, by name
 * @param endOfText id of the token that ends a text, if there is one
 * @param before the card of the checkpoint; empty if it has none
 */
record FinetuneRun(
        FinetuneConfig config,
        TaskHead head,
        String command,
        String checkpoint,
        SequencedMap<String, String> settings,
        LabelledFile train,
        LabelledFile dev,
        long cut,
        String textSource,
        double languageLossBefore,
        Map<String, String> files,
        OptionalInt endOfText,
        String before) {
    int steps() {
        return config.steps(train.rows().size());
    }

    /** Adds what is known before the first step to a report. */
    void describe(ObjectNode root) {
        root.put("task", head.task().label());
        if (!head.labels().isEmpty()) {
            ArrayNode labels = root.putArray("labels");
            head.labels().forEach(labels::add);
        }
        root.put("checkpoint", checkpoint);
        describe(root.putObject("train"), train);
        describe(root.putObject("dev"), dev);
        root.put("cut", cut);
        root.put("text", textSource);
        ObjectNode all = root.putObject("settings");
        settings.forEach(all::put);
        root.put("steps", steps());
    }

    private static void describe(ObjectNode node, LabelledFile file) {
        node.put("file", file.source().file().toString());
        node.put("sha256", file.source().sha256());
        node.put("examples", file.rows().size());
    }

    /**
     * The card of a model, its {@code README.md}.
     *
     * @param evaluations all so far
     * @param own that of the model
     */
    String card(List<Finetuner.Evaluation> evaluations, Finetuner.Evaluation own, double seconds) {
        StringBuilder card = new StringBuilder("## Fine-tuning\n\n```\n" + command + "\n```\n\n");
        card.append(String.format(
                Locale.ROOT,
                "%s for %s with AdamW, warm-up and a straight line down, on %,d examples of %s; measured on %,d of %s.",
                config.scratch()
                        ? "Trained from random weights"
                        : config.lora() == null ? "Fine-tuned" : "Fine-tuned by low-rank adaptation (LoRA)",
                head.task().label(),
                train.rows().size(),
                train.source().describe(),
                dev.rows().size(),
                dev.source().describe()));
        if (!head.labels().isEmpty()) {
            card.append(" Labels: ").append(String.join(", ", head.labels())).append('.');
        }
        if (config.lora() != null) {
            card.append(" `").append(AdapterFolder.NAME).append("/` has what was learned by itself, in PEFT's files.");
        }
        card.append("\n\nIn effect: ");
        settings.forEach((name, value) -> card.append(name)
                .append(' ')
                .append(value)
                .append(name.equals(settings.lastEntry().getKey()) ? "" : ", "));
        card.append(String.format(
                Locale.ROOT,
                ".%n%n%d steps in %.0f s. The weights are those of epoch %d. The language loss, in nats a token of %s, was"
                        + " %.4f before.%n%n",
                evaluations.getLast().step(),
                seconds,
                own.epoch(),
                textSource,
                languageLossBefore));
        card.append("| epoch | dev loss | ");
        own.dev().measures().keySet().forEach(name -> card.append(name).append(" | "));
        card.append("language loss |\n|---|---|");
        own.dev().measures().keySet().forEach(_ -> card.append("---|"));
        card.append("---|\n");
        for (Finetuner.Evaluation evaluation : evaluations) {
            card.append(String.format(
                    Locale.ROOT,
                    "| %d | %.4f | ",
                    evaluation.epoch(),
                    evaluation.dev().loss()));
            evaluation
                    .dev()
                    .measures()
                    .values()
                    .forEach(value -> card.append(String.format(Locale.ROOT, "%.4f | ", value)));
            card.append(String.format(Locale.ROOT, "%.4f |%n", evaluation.languageLoss()));
        }
        if (!before.isEmpty()) {
            card.append("\n# Before that\n\n").append(before.split("\n## Samples", 2)[0]);
        }
        return card.toString();
    }
}
