package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;

/**
 * Patterns to be found out from so many examples, or from a description where there are none. Immutable; any thread.
 *
 * @param shots how many examples are given
 */
record PatternSkill(int shots, List<Mapping> mappings) implements Skill {
    /** How one line of a pattern is written. */
    private record Layout(String before, String between, String separator) {}

    private static final List<Layout> LAYOUTS = List.of(
            new Layout("", " -> ", "\n"),
            new Layout("", " -> ", "\n"),
            new Layout("", " => ", "\n"),
            new Layout("", ": ", "\n"),
            new Layout("", " = ", "\n"),
            new Layout("", " | ", "\n"),
            new Layout("", " → ", "\n"),
            new Layout("", " >> ", "\n"),
            new Layout("", " > ", "\n"),
            new Layout("", " / ", "\n"),
            new Layout("", " ~ ", "\n"),
            new Layout("", " ... ", "\n"),
            new Layout("", " becomes ", "\n"),
            new Layout("", " to ", "\n"),
            new Layout("* ", " -> ", "\n"),
            new Layout("- ", ": ", "\n"),
            new Layout("", " -> ", "; "),
            new Layout("", ": ", ", "),
            new Layout("", " => ", ", "),
            new Layout("Input: ", "\nOutput: ", "\n"),
            new Layout("Input: ", "\nOutput: ", "\n\n"),
            new Layout("Q: ", "\nA: ", "\n"),
            new Layout("In: ", " Out: ", "\n"),
            new Layout("x: ", ", y: ", "\n"),
            new Layout("Word: ", "\nAnswer: ", "\n\n"),
            new Layout("Text: ", "\nLabel: ", "\n"),
            new Layout("", "\n= ", "\n"),
            new Layout("<", "> ", "\n"),
            new Layout("[", "] ", "\n"),
            new Layout("(", ") ", "\n"));

    @Override
    public String name() {
        return "pattern-" + shots + "-shot";
    }

    @Override
    public Exercise exercise(Scribe scribe) {
        Mapping mapping = scribe.random().of(mappings);
        while (shots == 0 && mapping.rule().isEmpty()) {
            mapping = scribe.random().of(mappings);
        }
        Mapping.Entry asked = scribe.of(mapping.entries());
        String key = mapping.name() + " " + asked.from();
        if (shots == 0) {
            return Exercise.of(describe(scribe, mapping, asked), asked.to(), key);
        }
        List<Mapping.Entry> examples = examples(scribe, mapping, asked);
        if (scribe.random().chance(12)) {
            return asTurns(examples, asked, key);
        }
        Layout layout = scribe.random().of(LAYOUTS);
        StringBuilder question = new StringBuilder();
        for (Mapping.Entry example : examples) {
            question.append(line(layout, example)).append(layout.separator);
        }
        question.append(layout.before).append(asked.from()).append(layout.between.stripTrailing());
        return Exercise.of(question.toString(), asked.to(), key);
    }

    private static Exercise asTurns(List<Mapping.Entry> examples, Mapping.Entry asked, String key) {
        List<Conversation.Message> before = new ArrayList<>();
        for (Mapping.Entry example : examples) {
            before.add(Conversation.user(example.from()));
            before.add(Conversation.assistant(example.to()));
        }
        before.add(Conversation.user(asked.from()));
        return Exercise.of(before, asked.to(), key);
    }

    private static String describe(Scribe scribe, Mapping mapping, Mapping.Entry asked) {
        scribe.keep("word", asked.from());
        scribe.keep("a", asked.from());
        scribe.keep("x", new Word(asked.from(), Word.Kind.NOUN, List.of()));
        if (mapping.rule().startsWith("ask-") && scribe.book().grammar().has(mapping.rule())) {
            return scribe.write(mapping.rule());
        }
        return RelationSkill.ask(scribe, scribe.book().relation(mapping.name()), asked.from());
    }

    /** Other entries of the pattern; on both sides from the training side, so that nothing held out is given away. */
    private List<Mapping.Entry> examples(Scribe scribe, Mapping mapping, Mapping.Entry asked) {
        List<Mapping.Entry> examples = new ArrayList<>();
        List<Mapping.Entry> pool = mapping.entries().training();
        while (examples.size() < Math.min(shots, pool.size() - 1)) {
            Mapping.Entry example = scribe.random().of(pool);
            if (!examples.contains(example) && !example.equals(asked)) {
                examples.add(example);
            }
        }
        return examples;
    }

    private static String line(Layout layout, Mapping.Entry entry) {
        return layout.before + entry.from() + layout.between + entry.to();
    }

    /** Many lines of one pattern, as a text to read. */
    static String lines(Scribe scribe, Mapping mapping, int count) {
        List<Mapping.Entry> pool = mapping.entries().of(scribe.side());
        Layout layout = scribe.random().of(LAYOUTS);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < Math.min(count, pool.size()); i++) {
            lines.add(line(layout, scribe.random().of(pool)));
        }
        return String.join(layout.separator, lines.stream().distinct().toList());
    }
}
