package dev.weir.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads rows of columns with tabs between them: the columns that a header names, or without one the task's texts and then the
 * label. Used by one thread, once.
 */
final class LabelledTable {
    private final Path file;
    private final FinetuneTask task;

    LabelledTable(Path file, FinetuneTask task) {
        this.file = file;
        this.task = task;
    }

    /**
     * Where a row has what.
     *
     * @param count columns of each row
     */
    private record Columns(List<Integer> texts, int target, int count, int firstLine, boolean hasHeader) {}

    /**
     * The file's examples.
     *
     * @throws UserError naming the line and what is wrong there
     */
    List<LabelledText> rows(String text) {
        if (task == FinetuneTask.MULTIPLE_CHOICE) {
            throw new UserError(file + " is no JSON: " + task.label() + " reads a line such as "
                    + "{\"question\": \"...\", \"choices\": [\"...\", \"...\"], \"label\": 0} for each example");
        }
        List<LabelledText> rows = new ArrayList<>();
        Columns columns = null;
        int line = 0;
        for (String content : text.lines().toList()) {
            line++;
            String row = line == 1 && content.startsWith("\uFEFF") ? content.substring(1) : content;
            if (row.isBlank()) {
                continue;
            }
            List<String> fields = List.of(row.split("\t", -1));
            if (columns == null) {
                columns = columns(fields, line);
                if (columns.hasHeader) {
                    continue;
                }
            }
            rows.add(row(fields, columns, line));
        }
        if (columns != null && !columns.hasHeader) {
            refuseStrangeHeader(rows);
        }
        return rows;
    }

    private Columns columns(List<String> first, int line) {
        List<String> names = first.stream()
                .map(name -> name.strip().toLowerCase(Locale.ROOT))
                .toList();
        Integer target = column(names, task.target());
        if (target == null) {
            int wanted = task.texts().size() + 1;
            if (first.size() != wanted) {
                throw new UserError(at(line) + "has neither the header " + header() + " nor the " + wanted
                        + " columns that a file without one has, but " + first.size()
                        + ": put that header first, with a tab between the names");
            }
            List<Integer> texts = new ArrayList<>();
            for (int i = 0; i + 1 < wanted; i++) {
                texts.add(i);
            }
            return new Columns(texts, wanted - 1, wanted, line, false);
        }
        List<Integer> texts = new ArrayList<>();
        for (List<String> text : task.texts()) {
            Integer column = column(names, text);
            if (column == null) {
                throw new UserError(at(line) + "the header names " + String.join(", ", names) + ", but no column "
                        + String.join(" or ", text) + ": name the one with the text so");
            }
            texts.add(column);
        }
        return new Columns(texts, target, first.size(), line, true);
    }

    private static @Nullable Integer column(List<String> header, List<String> names) {
        for (String name : names) {
            if (header.contains(name)) {
                return header.indexOf(name);
            }
        }
        return null;
    }

    private String header() {
        StringBuilder names = new StringBuilder();
        task.texts().forEach(text -> names.append(text.getFirst()).append(", "));
        return names.append(task.target().getFirst()).toString();
    }

    private LabelledText row(List<String> fields, Columns columns, int line) {
        if (fields.size() <= columns.target || fields.get(columns.target).isBlank()) {
            throw new UserError(at(line) + "label is missing: give one in column " + (columns.target + 1)
                    + ", after a tab, or remove the line");
        }
        if (fields.size() != columns.count) {
            throw new UserError(at(line) + "has " + fields.size() + " columns where line " + columns.firstLine + " has "
                    + columns.count + ": a tab is no part of a text");
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < columns.texts.size(); i++) {
            String text = fields.get(columns.texts.get(i));
            if (text.isBlank()) {
                throw new UserError(at(line) + task.texts().get(i).getFirst() + " is empty: give a text in column "
                        + (columns.texts.get(i) + 1) + ", or remove the line");
            }
            texts.add(text);
        }
        return new LabelledText(line, texts, fields.get(columns.target).strip());
    }

    /** A header of other names than ours would be taken for an example, with a label of its own. */
    private void refuseStrangeHeader(List<LabelledText> rows) {
        if (!task.isLabelled() || rows.size() < 2) {
            return;
        }
        LabelledText first = rows.getFirst();
        if (rows.stream().skip(1).noneMatch(row -> row.target().equals(first.target()))) {
            throw new UserError(at(first.line()) + "has the label \"" + first.target()
                    + "\", which no other line has: if this is a header, name its columns " + header()
                    + "; if not, put that header before it");
        }
    }

    private String at(int line) {
        return file + ", line " + line + ": ";
    }
}
