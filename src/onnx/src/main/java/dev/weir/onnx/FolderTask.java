package dev.weir.onnx;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a fine-tuned model's folder says of its head, in its {@code config.json}. Immutable; any thread.
 *
 * @param name of the task, such as {@code classification}
 * @param labels of the head's outputs; empty where it says a number
 */
public record FolderTask(String name, List<String> labels) {
    /** The graph's output, {@code float [batch, 1, outputs]}. */
    public static final String OUTPUT = "class_logits";

    /** The token that a sequence begins with. */
    public static final String START = "<|start|>";

    /** The last token of a sequence, of which the head says something. */
    public static final String EXTRACT = "<|extract|>";

    /** The field with the task's name. */
    public static final String TASK_FIELD = "finetuning_task";

    /** The field with the labels, by the number of their output. */
    public static final String LABELS_FIELD = "id2label";

    private static final String FILE = "config.json";

    public FolderTask {
        labels = List.copyOf(labels);
    }

    /**
     * Reads it.
     *
     * @return empty if the folder is not one of a fine-tuned model
     * @throws ModelLoadException if the file cannot be read, or names its labels wrongly
     */
    public static Optional<FolderTask> read(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        JsonNode config;
        try {
            config = new ObjectMapper().readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new ModelLoadException(file + " is not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new ModelLoadException("cannot read " + file + ": " + e.getMessage(), e);
        }
        JsonNode task = config.path(TASK_FIELD);
        if (!task.isTextual()) {
            return Optional.empty();
        }
        JsonNode names = config.path(LABELS_FIELD);
        List<String> labels = new ArrayList<>();
        for (int id = 0; id < names.size(); id++) {
            JsonNode label = names.path(String.valueOf(id));
            if (!label.isTextual()) {
                throw new ModelLoadException(file + ": " + LABELS_FIELD + " is " + names
                        + "; it must name the labels 0 to " + (names.size() - 1));
            }
            labels.add(label.textValue());
        }
        return Optional.of(new FolderTask(task.textValue(), labels));
    }
}
