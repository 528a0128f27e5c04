package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A question with its choices, one of which is right. Immutable; any thread.
 *
 * @param line where it stands in its file, for messages
 * @param context what is asked
 * @param choices two or more ways to go on
 * @param answer index of the right one
 */
record TaskItem(int line, String context, List<String> choices, int answer) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /**
     * Reads a file with an item in each line that is not blank.
     *
     * @throws UserError naming the file, the line and what is wrong there
     */
    static List<TaskItem> read(Path file) throws IOException {
        TextFile text = TextFile.read("--task", file);
        List<TaskItem> items = new ArrayList<>();
        int number = 0;
        for (String line : text.text().lines().toList()) {
            number++;
            if (!line.isBlank()) {
                items.add(new Reader(file, number).item(line));
            }
        }
        return items;
    }

    /** What the context is continued with: a space between the two belongs to the choice, as tokenizers have it. */
    String continuation(int choice) {
        String text = choices.get(choice);
        return context.isEmpty() || endsLine() || Character.isWhitespace(text.charAt(0)) ? text : " " + text;
    }

    /** The context without the space that {@link #continuation} has. */
    String prompt() {
        return endsLine() ? context : context.stripTrailing();
    }

    private boolean endsLine() {
        return context.endsWith("\n");
    }

    /** Reads one line. */
    private record Reader(Path file, int line) {
        TaskItem item(String json) {
            JsonNode root;
            try {
                root = JSON.readTree(json);
            } catch (JsonProcessingException e) {
                throw new UserError(at() + "is not valid JSON: " + e.getOriginalMessage(), e);
            }
            if (!root.isObject()) {
                throw new UserError(
                        at() + "is no JSON object: write {\"context\": ..., \"choices\": [...], \"answer\": ...}");
            }
            List<String> choices = choices(root.path("choices"));
            return new TaskItem(line, context(root), choices, answer(root.path("answer"), choices));
        }

        private String context(JsonNode root) {
            if (root.has("context") == root.has("prompt")) {
                throw new UserError(at() + "has " + (root.has("context") ? "both context and prompt" : "no context")
                        + ": give one of \"context\" and \"prompt\", which mean the same");
            }
            JsonNode context = root.has("context") ? root.path("context") : root.path("prompt");
            if (!context.isTextual()) {
                throw new UserError(at() + "context is " + context + ": it must be a text");
            }
            return context.asText();
        }

        private List<String> choices(JsonNode node) {
            List<String> choices = new ArrayList<>();
            for (JsonNode choice : node) {
                if (!choice.isTextual() || choice.asText().isBlank()) {
                    throw new UserError(at() + "choices has " + choice + ": each must be a text that is not blank");
                }
                choices.add(choice.asText());
            }
            if (choices.size() < 2) {
                throw new UserError(at() + "choices has " + choices.size() + ": give a list of at least 2 texts");
            }
            return List.copyOf(choices);
        }

        private int answer(JsonNode node, List<String> choices) {
            boolean isIndex = node.isIntegralNumber() && node.asLong() >= 0 && node.asLong() < choices.size();
            if (isIndex) {
                return node.asInt();
            }
            int index = node.isTextual() ? choices.indexOf(node.asText()) : -1;
            if (index < 0) {
                throw new UserError(at() + "answer is " + (node.isMissingNode() ? "missing" : node)
                        + ": give the text of one of the choices, or its index from 0 to " + (choices.size() - 1));
            }
            return index;
        }

        private String at() {
            return file + ", line " + line + ": ";
        }
    }
}
