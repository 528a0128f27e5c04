package dev.weir.corpus;

import java.util.List;

/** All that the corpus is written from, read from the resources. Immutable; any thread. */
record CorpusBook(
        Lexicon lexicon,
        Grammar grammar,
        List<Relation> relations,
        List<StoryPlot> plots,
        List<StoryPlot> events,
        List<ToolKind> tools) {
    private static final List<String> WORDS =
            List.of("names", "animals", "food", "things", "places", "people", "describing", "verbs");
    private static final List<String> RULES = List.of(
            "story",
            "prose",
            "letters",
            "chat",
            "scenes",
            "howto",
            "why",
            "instructions",
            "classes",
            "tools",
            "memory");
    private static final List<String> FACTS = List.of("tables", "relations");
    private static final List<String> PLOTS =
            List.of("home", "outside", "town", "school", "fables", "everyday", "wonders");

    static CorpusBook read() {
        Lexicon lexicon = Lexicon.read(WORDS);
        return new CorpusBook(
                lexicon,
                Grammar.read(RULES),
                Relation.read(FACTS, lexicon),
                StoryPlotReader.read(PLOTS),
                StoryPlotReader.read(List.of("events")),
                ToolKind.read());
    }

    /** @throws IllegalArgumentException if there is no such relation */
    Relation relation(String name) {
        return relations.stream()
                .filter(relation -> relation.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no relation " + name));
    }
}
