package dev.weir.corpus;

import java.util.List;
import java.util.function.UnaryOperator;

/** Exercises with the words of a sentence. Static functions; any thread. */
final class SentenceSkills {
    private static final List<String> ORDINALS = List.of("first", "second", "third", "fourth", "fifth");

    private SentenceSkills() {}

    static List<Skill> all() {
        return List.of(
                new OneSentence("copy", sentence -> sentence),
                new OneSentence("first-word", sentence -> words(sentence)[0]),
                new OneSentence("last-word", sentence -> words(sentence)[words(sentence).length - 1]),
                new OneSentence("count-words", sentence -> "" + words(sentence).length),
                new NthWord());
    }

    /** The words without the mark at the sentence's end and without commas. */
    static String[] words(String sentence) {
        return sentence.replaceAll("[.,!?]", "").split(" ", -1);
    }

    /** "third" of 3. */
    static String ordinal(int number) {
        return ORDINALS.get(number - 1);
    }

    private static String sentence(Scribe scribe, String skill) {
        String sentence = scribe.admitted(skill, () -> scribe.another().write("sentence"), UnaryOperator.identity());
        scribe.keep("sentence", sentence);
        return sentence;
    }

    private record OneSentence(String name, UnaryOperator<String> answer) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            String sentence = sentence(scribe, name);
            return Exercise.of(scribe.write("ask-" + name), answer.apply(sentence), sentence);
        }
    }

    private record NthWord() implements Skill {
        @Override
        public String name() {
            return "nth-word";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            String sentence = sentence(scribe, name());
            String[] words = words(sentence);
            int n = scribe.random().between(2, Math.min(4, words.length));
            scribe.keep("n", n);
            scribe.keep("nth", ordinal(n));
            return Exercise.of(scribe.write("ask-nth-word"), words[n - 1], sentence);
        }
    }
}
