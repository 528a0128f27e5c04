package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads plots as {@link StoryPlot} shows them. Owned by one thread. */
final class StoryPlotReader {
    private final List<StoryPlot> plots = new ArrayList<>();
    private String name = "";
    private Template title = Template.parse("");
    private List<StoryPlot.Binding> bindings = new ArrayList<>();
    private List<StoryPlot.Branch> branches = new ArrayList<>();
    private List<StoryPlot.Beat> beats = new ArrayList<>();
    private List<StoryPlot.Question> questions = new ArrayList<>();
    private List<Template> tellings = new ArrayList<>();

    private StoryPlotReader() {}

    static List<StoryPlot> read(List<String> files) {
        StoryPlotReader reader = new StoryPlotReader();
        for (String file : files) {
            for (String line : CorpusResource.lines("plots/" + file + ".txt")) {
                try {
                    reader.line(line);
                } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
                    throw new IllegalArgumentException(
                            "plots/" + file + ".txt, " + reader.name + ": \"" + line + "\": " + e.getMessage(), e);
                }
            }
        }
        reader.endPlot();
        return List.copyOf(reader.plots);
    }

    private void line(String line) {
        String rest = line.substring(line.indexOf(' ') + 1);
        if (line.startsWith("plot ")) {
            endPlot();
            name = rest;
        } else if (line.startsWith("title ")) {
            title = Template.parse(rest);
        } else if (line.startsWith("cast ")) {
            for (String[] part : parts(rest)) {
                bindings.add(new StoryPlot.Role(part[0], part[1]));
            }
        } else if (line.startsWith("let ")) {
            for (String[] part : parts(rest)) {
                bindings.add(new StoryPlot.Draw(part[0], part[1]));
            }
        } else if (line.startsWith("sum ")) {
            String[] p = rest.split(" ", -1); // total = n 2-9 + m 2-9
            bindings.add(new StoryPlot.Sum(p[0], p[2], p[3], p[4].equals("-"), p[5], p[6]));
        } else if (line.startsWith("branch ")) {
            String labels = rest.substring(rest.indexOf(' ') + 1);
            branches.add(new StoryPlot.Branch(List.of(labels.split("\\|", -1))));
        } else if (line.equals("*") || line.startsWith("* ") || line.equals("*?") || line.startsWith("*? ")) {
            tellings = new ArrayList<>();
            beats.add(beat(line));
        } else if (line.startsWith("? ")) {
            questions.add(question(rest));
        } else if (!line.isEmpty()) {
            tellings.add(Template.parse(line));
        }
    }

    private static List<String[]> parts(String list) {
        List<String[]> parts = new ArrayList<>();
        for (String part : list.split(", ", -1)) {
            parts.add(part.split(" ", -1));
        }
        return parts;
    }

    private StoryPlot.Beat beat(String line) {
        boolean optional = line.startsWith("*?");
        String rest = line.substring(optional ? 2 : 1).strip();
        @Nullable String label = label(rest);
        List<StoryPlot.Clause> clauses = new ArrayList<>();
        for (String clause : withoutLabel(rest).split("; ?", -1)) {
            if (!clause.isEmpty()) {
                boolean needed = clause.endsWith("?");
                String[] words = (needed ? clause.substring(0, clause.length() - 1) : clause).split(" ", -1);
                StoryPlot.Verb verb = switch (words[1]) {
                    case "has" -> StoryPlot.Verb.HAS;
                    case "at" -> StoryPlot.Verb.AT;
                    default -> throw new IllegalArgumentException("a clause has no verb " + words[1]);
                };
                clauses.add(new StoryPlot.Clause(words[0], verb, words[2], needed));
            }
        }
        return new StoryPlot.Beat(label, optional, List.copyOf(clauses), tellings);
    }

    private static StoryPlot.Question question(String rest) {
        String[] parts = withoutLabel(rest).split(" = ", -1);
        if (parts.length != 3) {
            throw new IllegalArgumentException("a question has an answer and a sentence");
        }
        return new StoryPlot.Question(
                label(rest), Template.parse(parts[0]), Template.parse(parts[1]), Template.parse(parts[2]));
    }

    private static @Nullable String label(String text) {
        return text.startsWith("@") ? text.substring(1, end(text)) : null;
    }

    private static String withoutLabel(String text) {
        return text.startsWith("@") ? text.substring(end(text)).strip() : text;
    }

    private static int end(String text) {
        int space = text.indexOf(' ');
        return space < 0 ? text.length() : space;
    }

    private void endPlot() {
        if (!name.isEmpty()) {
            plots.add(new StoryPlot(name, title, bindings, branches, beats, questions));
        }
        bindings = new ArrayList<>();
        branches = new ArrayList<>();
        beats = new ArrayList<>();
        questions = new ArrayList<>();
    }
}
