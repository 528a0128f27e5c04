package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads examples as JSON objects, one in each line that is not blank. Used by one thread, once. */
final class LabelledJson {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path file;
    private final FinetuneTask task;

    LabelledJson(Path file, FinetuneTask task) {
        this.file = file;
        this.task = task;
    }

    /**
     * The file's examples.
     *
     * @throws UserError naming the line and what is wrong there
     */
    List<LabelledText> rows(String text) {
        List<LabelledText> rows = new ArrayList<>();
        int line = 0;
        for (String json : text.lines().toList()) {
            line++;
            if (!json.isBlank()) {
                rows.add(row(json, line));
            }
        }
        return rows;
    }

    private LabelledText row(String json, int line) {
        String at = file + ", line " + line + ": ";
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new UserError(at + "is not valid JSON: " + e.getOriginalMessage(), e);
        }
        if (!root.isObject()) {
            throw new UserError(at + "is no JSON object: write one such as {" + form() + "}");
        }
        List<String> texts = new ArrayList<>();
        for (List<String> names : task.texts()) {
            texts.add(text(at, names.getFirst(), field(root, names)));
        }
        if (task == FinetuneTask.MULTIPLE_CHOICE) {
            for (JsonNode choice : root.path("choices")) {
                texts.add(text(at, "choices[" + (texts.size() - 1) + "]", choice));
            }
            if (texts.size() < 3) {
                throw new UserError(
                        at + "choices has " + (texts.size() - 1) + " entries: give a list of at least 2 texts");
            }
        }
        JsonNode target = field(root, task.target());
        if (!target.isValueNode() || target.isNull() || target.asText().isBlank()) {
            throw new UserError(at + "label is " + (target.isMissingNode() ? "missing" : target.toString())
                    + ": give a text or a number, or remove the line");
        }
        return new LabelledText(line, texts, target.asText().strip());
    }

    private String form() {
        StringBuilder form = new StringBuilder();
        task.texts().forEach(names -> form.append('"').append(names.getFirst()).append("\": \"...\", "));
        return form.append(task == FinetuneTask.MULTIPLE_CHOICE ? "\"choices\": [\"...\", \"...\"], " : "")
                .append("\"label\": ...")
                .toString();
    }

    private static JsonNode field(JsonNode root, List<String> names) {
        for (String name : names) {
            if (root.has(name)) {
                return root.path(name);
            }
        }
        return root.path(names.getFirst());
    }

    private static String text(String at, String name, JsonNode node) {
        if (!node.isTextual() || node.asText().isBlank()) {
            throw new UserError(at + name + " is " + (node.isMissingNode() ? "missing" : node.toString())
                    + ": it must be a text that is not blank");
        }
        return node.asText();
    }
}
