package dev.weir.corpus;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One kind of thing that is so: what a young animal is called, what the capital of a country is. Immutable; any thread.
 *
 * <p>Everything is said in prose on the training side; asked about is only what is not held out.
 *
 * @param facts the pairs of which it is so
 * @param say sentences about {@code x} and {@code y}
 * @param ask questions about {@code x} that {@code y} answers
 * @param tell the answers as a sentence
 */
record Relation(String name, Divided<Fact> facts, Grammar.Rule say, Grammar.Rule ask, Grammar.Rule tell) {
    /** Whether there are questions about it. */
    boolean isAsked() {
        return !ask.alternatives().all().isEmpty();
    }

    /** That {@code y} is so of {@code x}. */
    record Fact(Word x, Word y) {}

    /**
     * Reads the tables and the relations between their columns.
     *
     * <pre>
     * table animals: name | young
     * dog | puppy
     * snow* | -                    a star: no plural; a dash: nothing
     * relation young: animals name young
     * say: A young {x} is called {y.a}.
     * ask: What do you call a young {x}?
     * tell: A young {x} is called {y.a}.
     * </pre>
     */
    static List<Relation> read(List<String> files, Lexicon lexicon) {
        Reader reader = new Reader(lexicon);
        files.forEach(file -> CorpusResource.lines("facts/" + file + ".txt").forEach(reader::line));
        reader.endRelation();
        return List.copyOf(reader.relations);
    }

    private static final class Reader {
        private final Map<String, Word> nouns = new LinkedHashMap<>();
        private final Map<String, List<List<String>>> tables = new LinkedHashMap<>();
        private final List<Relation> relations = new ArrayList<>();
        private List<List<String>> table = new ArrayList<>();
        private String name = "";
        private List<Fact> facts = List.of();
        private final Map<String, List<Template>> sentences = new LinkedHashMap<>();

        Reader(Lexicon lexicon) {
            for (String list : lexicon.names()) {
                for (Term term : lexicon.all(list)) {
                    if (term instanceof Word word && word.kind() == Word.Kind.NOUN) {
                        nouns.putIfAbsent(word.base(), word);
                    }
                }
            }
        }

        void line(String line) {
            if (line.startsWith("table ")) {
                int colon = line.indexOf(':');
                table = new ArrayList<>(List.of(cells(line.substring(colon + 1))));
                tables.put(line.substring(6, colon), table);
            } else if (line.startsWith("relation ")) {
                endRelation();
                beginRelation(line);
            } else if (!name.isEmpty() && !line.isEmpty()) {
                int colon = line.indexOf(": ");
                sentences
                        .computeIfAbsent(line.substring(0, colon), _ -> new ArrayList<>())
                        .add(Template.parse(line.substring(colon + 2)));
            } else if (!line.isEmpty()) {
                List<String> row = cells(line);
                if (row.size() != table.getFirst().size()) {
                    throw new IllegalArgumentException("the row \"" + line + "\" does not fit its table");
                }
                table.add(row);
            }
        }

        private static List<String> cells(String line) {
            return List.of(line.strip().split(" *\\| *", -1));
        }

        private void beginRelation(String line) {
            int colon = line.indexOf(": ");
            name = line.substring("relation ".length(), colon);
            String[] parts = line.substring(colon + 2).split(" ", -1);
            @Nullable List<List<String>> rows = tables.get(parts[0]);
            if (rows == null) {
                throw new IllegalArgumentException("there is no table for: " + line);
            }
            int x = rows.getFirst().indexOf(parts[1]);
            int y = rows.getFirst().indexOf(parts[2]);
            facts = rows.stream()
                    .skip(1)
                    .filter(row -> !row.get(x).equals("-") && !row.get(y).equals("-"))
                    .map(row -> new Fact(noun(row.get(x)), noun(row.get(y))))
                    .toList();
        }

        private Word noun(String cell) {
            if (cell.endsWith("*")) {
                return new Word(cell.substring(0, cell.length() - 1), Word.Kind.MASS, List.of());
            }
            @Nullable Word known = nouns.get(cell);
            return known == null ? new Word(cell, Word.Kind.NOUN, List.of()) : known;
        }

        void endRelation() {
            if (!name.isEmpty()) {
                relations.add(new Relation(
                        name,
                        Divided.of("fact " + name, facts, fact -> fact.x().base()),
                        rule("say", false),
                        rule("ask", true),
                        rule("tell", false)));
            }
            name = "";
            sentences.clear();
        }

        private Grammar.Rule rule(String kind, boolean split) {
            List<Template> alternatives = sentences.getOrDefault(kind, List.of());
            return Grammar.Rule.of(kind + "-" + name, alternatives, split && !alternatives.isEmpty());
        }
    }
}
