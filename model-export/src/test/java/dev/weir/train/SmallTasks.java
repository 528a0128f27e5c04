package dev.weir.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Small fine-tuned models of each task and examples for them, for what must hold for all. */
final class SmallTasks {
    private SmallTasks() {}

    static TaskHead head(FinetuneTask task) {
        return new TaskHead(task, task.isLabelled() ? List.of("a", "b", "c") : List.of());
    }

    /** Weights in which nothing is zero or one, the head's included. */
    static GptWeights weights(GptConfig config, FinetuneTask task) {
        GptWeights body = new NoisyGptWeights(config, 3);
        TaskHead head = head(task);
        return GptWeights.of(config, Optional.of(head), name -> {
            if (!TaskHead.isName(name)) {
                return body.tensor(name);
            }
            Random random = new Random(name.hashCode());
            float[] values = new float
                    [Math.toIntExact(
                            GptConfig.elements(head.tensorShapes(config.width()).get(name)))];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (0.3 * random.nextGaussian());
            }
            return values;
        });
    }

    /** Examples of very different lengths. */
    static List<TaskExample> examples(GptConfig config, FinetuneTask task) {
        Random random = new Random(7);
        List<TaskExample> examples = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            int sequences = switch (task) {
                case CLASSIFICATION, REGRESSION, ENTAILMENT -> 1;
                case SIMILARITY -> 2;
                case MULTIPLE_CHOICE -> 2 + i % 3;
            };
            int[][] ids = new int[sequences][];
            for (int j = 0; j < sequences; j++) {
                ids[j] = random.ints(2 + random.nextInt(i % 2 == 0 ? 4 : 20), 0, config.vocabularySize())
                        .toArray();
            }
            examples.add(new TaskExample(ids, task.isNumeric() ? random.nextGaussian() : i % 2, false));
        }
        return examples;
    }

    /** A file of examples that are easily told, as JSON lines. */
    static String lines(FinetuneTask task, int count) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            boolean even = i % 2 == 0;
            String text = even ? "round" : "square";
            lines.append(
                    switch (task) {
                        case CLASSIFICATION -> "{\"text\": \"%s %d\", \"label\": %b}".formatted(text, i, even);
                        case REGRESSION -> "{\"text\": \"%s %d\", \"label\": %d}".formatted(text, i, even ? 5 : i);
                        case ENTAILMENT ->
                            "{\"premise\": \"%s\", \"hypothesis\": \"it rolls %d\", \"label\": %b}"
                                    .formatted(text, i, even);
                        case SIMILARITY ->
                            "{\"text1\": \"%s\", \"text2\": \"a wheel %d\", \"label\": %d}"
                                    .formatted(text, i, even ? 5 : i);
                        case MULTIPLE_CHOICE ->
                            "{\"question\": \"%d?\", \"choices\": [\"%s\", \"wheel\"], \"label\": %d}"
                                    .formatted(i, text, even ? 1 : 0);
                    });
            lines.append('\n');
        }
        return lines.toString();
    }
}
