package dev.weir.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.onnx.FolderTask;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * What a fine-tuned GPT computes beside the next token's logits: {@code W x + b} of what its last block says of the last token
 * of a sequence. Immutable; any thread.
 *
 * <p>One output for each label; one in all where the answer is a number, or a score of one of several choices. The outputs of a
 * similarity's two orders are {@code W (x1 + x2) + b}.
 *
 * @param labels of the outputs; empty where there is one
 */
record TaskHead(FinetuneTask task, List<String> labels) {
    /** The matrix, a row of the model's width for each output. */
    static final String WEIGHT = "head.weight";
    /** The bias, one for each output. */
    static final String BIAS = "head.bias";

    private static final String TASK_FIELD = FolderTask.TASK_FIELD;
    private static final String LABELS_FIELD = FolderTask.LABELS_FIELD;

    TaskHead {
        labels = List.copyOf(labels);
        if (task.isLabelled() ? labels.size() < 2 : !labels.isEmpty()) {
            throw new IllegalArgumentException("a head for " + task.label() + " has the labels " + labels);
        }
    }

    int outputs() {
        return Math.max(1, labels.size());
    }

    /** The names and shapes of its weights in a model of that width. */
    SequencedMap<String, long[]> tensorShapes(long width) {
        SequencedMap<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put(WEIGHT, new long[] {outputs(), width});
        shapes.put(BIAS, new long[] {outputs()});
        return shapes;
    }

    static boolean isName(String tensor) {
        return tensor.equals(WEIGHT) || tensor.equals(BIAS);
    }

    /** Adds itself to a {@code config.json}, in the words that Hugging Face's have for it. */
    void writeTo(ObjectNode config) {
        config.put(TASK_FIELD, task.label());
        if (!labels.isEmpty()) {
            ObjectNode names = config.putObject(LABELS_FIELD);
            ObjectNode ids = config.putObject("label2id");
            for (int id = 0; id < labels.size(); id++) {
                names.put(String.valueOf(id), labels.get(id));
                ids.put(labels.get(id), id);
            }
        }
    }

    /** Whether a {@code config.json} is one of a fine-tuned model. */
    static boolean isDescribedIn(JsonNode config) {
        return config.path(TASK_FIELD).isTextual();
    }

    /**
     * Reads what {@link #writeTo} wrote.
     *
     * @throws UserError naming the field that is missing or wrong
     */
    static TaskHead read(Path file, JsonNode config) {
        JsonNode named = config.path(TASK_FIELD);
        if (!named.isTextual()) {
            throw new UserError(file + " has no " + TASK_FIELD + ", but the weights beside it have \"" + WEIGHT
                    + "\": take both from the same folder");
        }
        FinetuneTask task = FinetuneTask.named(file + ": " + TASK_FIELD, named.asText());
        List<String> labels = new ArrayList<>();
        if (task.isLabelled()) {
            JsonNode names = config.path(LABELS_FIELD);
            for (int id = 0; id < names.size(); id++) {
                JsonNode label = names.path(String.valueOf(id));
                if (!label.isTextual()) {
                    throw new UserError(file + ": " + LABELS_FIELD + " is " + names + "; it must name the labels 0 to "
                            + (names.size() - 1));
                }
                labels.add(label.asText());
            }
            if (labels.size() < 2) {
                throw new UserError(file + ": " + LABELS_FIELD + " is "
                        + (names.isMissingNode() ? "missing" : names.toString())
                        + "; it must name at least two labels");
            }
        }
        return new TaskHead(task, labels);
    }
}
