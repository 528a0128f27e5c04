package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A rule by which one text becomes another, to be found out from examples: "cat" becomes "cats". Immutable; any thread.
 *
 * @param rule the grammar's rule that asks for it in words; empty where there is none
 */
record Mapping(String name, Divided<Entry> entries, String rule) {
    /** One text and what it becomes. */
    record Entry(String from, String to) {}

    static List<Mapping> all(CorpusBook book) {
        List<Mapping> mappings = new ArrayList<>();
        for (String relation : List.of(
                "class",
                "young",
                "sound",
                "cover",
                "capital",
                "country",
                "continent",
                "language",
                "colour",
                "opposite",
                "synonym",
                "plural",
                "workplace",
                "material",
                "taste",
                "female",
                "next-day",
                "next-month",
                "day-before",
                "rhyme")) {
            mappings.add(ofRelation(book.relation(relation)));
        }
        Lexicon lexicon = book.lexicon();
        List<String> words = lexicon.plain("spelling", 3, 7);
        List<String> shortWords = lexicon.plain("spelling", 3, 5);
        mappings.add(of("upper", words, word -> word.toUpperCase(Locale.ROOT), "ask-upper-case"));
        mappings.add(of("capital-letter", words, English::capital, "ask-capital"));
        mappings.add(of("first", words, word -> word.substring(0, 1), "ask-first-letter"));
        mappings.add(of("last", words, word -> word.substring(word.length() - 1), "ask-last-letter"));
        mappings.add(of("length", words, word -> "" + word.length(), "ask-count-letters"));
        mappings.add(of("reverse", shortWords, WordSkills::reversed, "ask-reverse"));
        mappings.add(of("spell", shortWords, WordSkills::spelled, "ask-spell"));
        mappings.add(of("twice", words, word -> word + " " + word, ""));
        mappings.add(of("twice-joined", words, word -> word + "-" + word, ""));
        mappings.add(of("exclaim", words, word -> word + "!", ""));
        mappings.add(of("quoted", words, word -> "\"" + word + "\"", ""));
        mappings.add(of("article", lexicon.plain("common-noun", 3, 9), word -> English.article(word) + " " + word, ""));
        mappings.add(of("without-first", words, word -> word.substring(1), ""));
        mappings.add(of("first-two", words, word -> word.substring(0, 2), ""));
        mappings.add(ofWords("past", lexicon, "verb", "past", "ask-past"));
        mappings.add(ofWords("ing", lexicon, "verb", "ing", ""));
        mappings.add(ofWords("third", lexicon, "verb", "third", ""));
        mappings.add(ofWords("noun-plural", lexicon, "common-noun", "s", "ask-plural"));
        mappings.add(ofWords("comparative", lexicon, "quality", "er", "ask-comparative"));
        mappings.add(ofWords("superlative", lexicon, "quality", "est", ""));
        mappings.add(numbers("one-more", 1, 60, n -> "" + (n + 1), "ask-next-one"));
        mappings.add(numbers("one-less", 1, 60, n -> "" + (n - 1), "ask-previous-one"));
        mappings.add(numbers("double", 1, 30, n -> "" + 2 * n, ""));
        mappings.add(numbers("ten-times", 1, 40, n -> "" + 10 * n, ""));
        mappings.add(numbers("two-more", 1, 60, n -> "" + (n + 2), ""));
        mappings.add(numbers("even", 1, 90, n -> n % 2 == 0 ? "even" : "odd", "ask-even-odd"));
        mappings.add(numbers("in-words", 1, 90, English::number, "ask-number-word"));
        mappings.add(numbers("negative", 1, 50, n -> "-" + n, ""));
        List<Entry> digits = IntStream.rangeClosed(1, 60)
                .mapToObj(n -> new Entry(English.number(n), "" + n))
                .toList();
        mappings.add(new Mapping("in-digits", Divided.of("word-number", digits, Entry::to), ""));
        List<String> letters = IntStream.range(0, 25)
                .mapToObj(i -> String.valueOf((char) ('a' + i)))
                .toList();
        mappings.add(of("next-letter", letters, letter -> String.valueOf((char) (letter.charAt(0) + 1)), ""));
        mappings.add(of("capital-of-letter", letters, letter -> letter.toUpperCase(Locale.ROOT), ""));
        mappings.add(kinds(lexicon));
        return List.copyOf(mappings);
    }

    private static Mapping ofRelation(Relation relation) {
        List<Entry> entries = relation.facts().all().stream()
                .map(fact -> new Entry(fact.x().base(), fact.y().base()))
                .toList();
        // What a relation may not ask, no mapping may show: the key is the relation's own.
        return new Mapping(
                relation.name(),
                Divided.of("fact " + relation.name(), entries, Entry::from),
                relation.isAsked() ? relation.ask().name() : "");
    }

    private static Mapping of(String name, List<String> words, UnaryOperator<String> change, String rule) {
        List<Entry> entries =
                words.stream().map(word -> new Entry(word, change.apply(word))).toList();
        return new Mapping(name, Divided.of(domain(name, rule), entries, Entry::from), rule);
    }

    /** An exercise that a skill has, too, is held out for the same words. */
    private static String domain(String name, String rule) {
        return rule.startsWith("ask-") ? rule.substring("ask-".length()) : "mapping " + name;
    }

    private static Mapping ofWords(String name, Lexicon lexicon, String list, String form, String rule) {
        List<Entry> entries = lexicon.all(list).stream()
                .filter(word -> word.base().indexOf(' ') < 0)
                .map(word -> new Entry(word.base(), word.form(form)))
                .distinct()
                .toList();
        // The plurals are a relation, too.
        String domain = name.equals("noun-plural") ? "fact plural" : "mapping " + name;
        return new Mapping(name, Divided.of(domain, entries, Entry::from), rule);
    }

    private static Mapping numbers(String name, int least, int most, Function<Integer, String> change, String rule) {
        List<Entry> entries = IntStream.rangeClosed(least, most)
                .mapToObj(n -> new Entry("" + n, change.apply(n)))
                .toList();
        return new Mapping(name, Divided.of(domain(name, rule), entries, Entry::from), rule);
    }

    private static Mapping kinds(Lexicon lexicon) {
        List<Entry> entries = new ArrayList<>();
        for (String kind : List.of("fruit", "vegetable", "bird", "insect", "flower", "tree", "instrument", "vehicle")) {
            for (Term word : lexicon.all(kind)) {
                if (entries.stream().noneMatch(entry -> entry.from.equals(word.base()))) {
                    entries.add(new Entry(word.base(), kind));
                }
            }
        }
        return new Mapping("kind", Divided.of("kind", entries, Entry::from), "");
    }
}
