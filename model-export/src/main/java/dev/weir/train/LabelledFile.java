package dev.weir.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of examples of a task: JSON lines, or rows of columns with tabs between them and nothing quoted. Immutable; any
 * thread.
 *
 * @param source the file
 */
record LabelledFile(TextFile source, FinetuneTask task, List<LabelledText> rows) {
    private static final int LABELS_SHOWN = 10;

    LabelledFile {
        rows = List.copyOf(rows);
    }

    /**
     * Reads a file.
     *
     * @param option what the user named it with
     * @throws UserError naming the file, the line and what is wrong there
     */
    static LabelledFile read(String option, Path path, FinetuneTask task) throws IOException {
        TextFile source = TextFile.read(option, path);
        List<LabelledText> rows = isJson(path, source.text())
                ? new LabelledJson(path, task).rows(source.text())
                : new LabelledTable(path, task).rows(source.text());
        if (rows.isEmpty()) {
            throw new UserError(option + " is " + path + ", which has a header and no example: add at least one row");
        }
        return new LabelledFile(source, task, rows);
    }

    private static boolean isJson(Path path, String text) {
        String name = path.getFileName().toString();
        return name.endsWith(".jsonl")
                || name.endsWith(".json")
                || (!name.endsWith(".tsv") && text.stripLeading().startsWith("{"));
    }

    /**
     * The head for the file's task, with its labels in order: numbers by value, others by name.
     *
     * @throws UserError if the labels are fewer than two
     */
    TaskHead head() {
        if (!task.isLabelled()) {
            return new TaskHead(task, List.of());
        }
        Map<String, Integer> counts = new LinkedHashMap<>();
        rows.forEach(row -> counts.merge(row.target(), 1, Integer::sum));
        if (counts.size() < 2) {
            throw new UserError(source.file() + " has the one label \""
                    + rows.getFirst().target() + "\": a task needs at least two");
        }
        List<String> labels = new ArrayList<>(counts.keySet());
        boolean areNumbers = labels.stream().allMatch(label -> label.matches("-?\\d{1,9}"));
        labels.sort(areNumbers ? Comparator.comparingInt(Integer::parseInt) : Comparator.naturalOrder());
        return new TaskHead(task, labels);
    }

    /**
     * Refuses a file of which the head cannot be asked.
     *
     * @throws UserError naming the line and what is wrong with its label
     */
    void check(TaskHead head) {
        for (LabelledText row : rows) {
            double _ = target(row, head);
        }
    }

    /**
     * What is to be said of a row: the index of its label or choice, or a number.
     *
     * @throws UserError if the head has no such label, or it is no number
     */
    double target(LabelledText row, TaskHead head) {
        if (task.isLabelled()) {
            int index = head.labels().indexOf(row.target());
            if (index < 0) {
                throw refused(
                        row,
                        "label is \"" + row.target() + "\", which is not one of the labels trained on: "
                                + shown(head.labels()));
            }
            return index;
        }
        return task.isNumeric() ? number(row) : choice(row);
    }

    private static String shown(List<String> labels) {
        return String.join(", ", labels.subList(0, Math.min(LABELS_SHOWN, labels.size())))
                + (labels.size() > LABELS_SHOWN ? " and " + (labels.size() - LABELS_SHOWN) + " more" : "");
    }

    private double number(LabelledText row) {
        try {
            double number = Double.parseDouble(row.target().strip());
            if (Double.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // refused below
        }
        throw refused(
                row,
                "label is \"" + row.target() + "\": " + task.label()
                        + " needs a number, such as 3.5; for labels choose " + "--task "
                        + (task == FinetuneTask.REGRESSION ? "classification" : "entailment"));
    }

    private double choice(LabelledText row) {
        int choices = row.texts().size() - 1;
        try {
            int index = Integer.parseInt(row.target().strip());
            if (index >= 0 && index < choices) {
                return index;
            }
        } catch (NumberFormatException e) {
            // refused below
        }
        throw refused(
                row, "label is \"" + row.target() + "\": give the index of the right choice, 0 to " + (choices - 1));
    }

    private UserError refused(LabelledText row, String complaint) {
        return new UserError(source.file() + ", line " + row.line() + ": " + complaint);
    }

    /** All its texts as one, for a language model: a line for each, of a multiple choice with the right one alone. */
    String plainText() {
        StringBuilder text = new StringBuilder();
        for (LabelledText row : rows) {
            List<String> texts = row.texts();
            if (task == FinetuneTask.MULTIPLE_CHOICE) {
                texts = List.of(texts.getFirst() + " " + texts.get(1 + (int) choice(row)));
            }
            texts.forEach(line -> text.append(line).append('\n'));
        }
        return text.toString();
    }
}
