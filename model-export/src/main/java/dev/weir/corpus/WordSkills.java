package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** Exercises with the letters of a word. Static functions; any thread. */
final class WordSkills {
    private WordSkills() {}

    static List<Skill> all(CorpusBook book) {
        List<String> words = book.lexicon().plain("spelling", 3, 8);
        List<String> shortWords = book.lexicon().plain("spelling", 3, 6);
        return List.of(
                new OneWord("spell", divided("spell", words), WordSkills::spelled),
                new OneWord("reverse", divided("reverse", shortWords), WordSkills::reversed),
                new OneWord("first-letter", divided("first-letter", words), word -> word.substring(0, 1)),
                new OneWord("last-letter", divided("last-letter", words), word -> word.substring(word.length() - 1)),
                new OneWord("count-letters", divided("count-letters", words), word -> "" + word.length()),
                new OneWord("upper-case", divided("upper-case", words), word -> word.toUpperCase(Locale.ROOT)),
                new OneWord("capital", divided("capital", words), English::capital),
                new LowerCase(divided("lower-case", words)),
                new LetterIn(divided("letter-in", words)),
                new Repeat(divided("repeat", words)));
    }

    private static Divided<String> divided(String skill, List<String> words) {
        return Divided.of(skill, words, UnaryOperator.identity());
    }

    static String spelled(String word) {
        return String.join("-", word.split("", -1)).substring(0, word.length() * 2 - 1);
    }

    static String reversed(String word) {
        return new StringBuilder(word).reverse().toString();
    }

    private static String ask(Scribe scribe, String skill, String word) {
        scribe.keep("word", word);
        return scribe.write("ask-" + skill);
    }

    private record OneWord(String name, Divided<String> words, UnaryOperator<String> answer) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            String word = scribe.of(words);
            return Exercise.of(ask(scribe, name, word), answer.apply(word), word);
        }
    }

    private record LowerCase(Divided<String> words) implements Skill {
        @Override
        public String name() {
            return "lower-case";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            String word = scribe.of(words);
            return Exercise.of(ask(scribe, name(), word.toUpperCase(Locale.ROOT)), word, word);
        }
    }

    private record LetterIn(Divided<String> words) implements Skill {
        @Override
        public String name() {
            return "letter-in";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            String word = scribe.of(words);
            char letter = scribe.random().chance(75)
                    ? word.charAt(scribe.random().below(word.length()))
                    : (char) ('a' + scribe.random().below(26));
            scribe.keep("letter", String.valueOf(letter));
            long count = word.chars().filter(c -> c == letter).count();
            return Exercise.of(ask(scribe, name(), word), Long.toString(count), word + " " + letter);
        }
    }

    private record Repeat(Divided<String> words) implements Skill {
        @Override
        public String name() {
            return "repeat";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            String word = scribe.of(words);
            int times = scribe.random().between(2, 6);
            scribe.keep("n", times);
            List<String> copies = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                copies.add(word);
            }
            return Exercise.of(ask(scribe, name(), word), String.join(" ", copies), word + " " + times);
        }
    }
}
