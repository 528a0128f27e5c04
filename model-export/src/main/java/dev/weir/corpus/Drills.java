package dev.weir.corpus;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Texts whose second half can be told from the first: lists said again, parts of them, and pairs looked up. Their words are
 * drawn at random, and some are made up on the spot, so that nothing but looking back helps. A small model learns from them
 * early to copy from its context: the induction heads of Olsson et al., "In-context Learning and Induction Heads", 2022.
 * Static functions; any thread.
 */
final class Drills {
    private static final List<String> SEPARATORS = List.of(" ", " ", " ", ", ", ", ", "\n", " - ");
    private static final List<String> ENDS = List.of("\n", "\n", ".\n", " | ");
    private static final List<String> LINKS = List.of(": ", " -> ", " is ", " = ", ", ");
    private static final List<String> CONSONANTS =
            List.of("b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "st", "tr", "br");
    private static final List<String> VOWELS = List.of("a", "e", "i", "o", "u", "ee", "ou", "ai");

    private Drills() {}

    static String write(Scribe scribe) {
        CorpusRandom random = scribe.random();
        List<String> words = words(scribe, random.between(3, 14));
        return switch (random.weighted(45, 30, 25)) {
            case 0 -> again(random, words);
            case 1 -> lookedUp(random, words, words(scribe, words.size()));
            default -> parts(random, words);
        };
    }

    private static String again(CorpusRandom random, List<String> words) {
        String line = String.join(random.of(SEPARATORS), words);
        return String.join(random.of(ENDS), Collections.nCopies(random.between(2, 4), line));
    }

    private static String lookedUp(CorpusRandom random, List<String> keys, List<String> values) {
        String link = random.of(LINKS);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) {
            lines.add(keys.get(i) + link + values.get(i));
        }
        for (int asked = random.between(3, keys.size() + 3); asked > 0; asked--) {
            lines.add(lines.get(random.below(keys.size())));
        }
        return String.join("\n", lines);
    }

    private static String parts(CorpusRandom random, List<String> words) {
        List<String> lines = new ArrayList<>(List.of(String.join(" ", words)));
        for (int part = random.between(3, 6); part > 0; part--) {
            int from = random.below(words.size() - 1);
            int to = Math.min(words.size(), from + random.between(2, 6));
            lines.add(String.join(" ", words.subList(from, to)));
        }
        return String.join("\n", lines);
    }

    /** Different words of any lists; in every third text some are made up, as a name that nobody knows is. */
    private static List<String> words(Scribe scribe, int count) {
        CorpusRandom random = scribe.random();
        Lexicon lexicon = scribe.book().lexicon();
        List<String> lists = lexicon.names();
        int madeUp = random.chance(33) ? random.between(20, 100) : 0;
        List<String> words = new ArrayList<>();
        while (words.size() < count) {
            String word = random.chance(madeUp)
                    ? madeUp(random)
                    : random.of(lexicon.words(random.of(lists), scribe.side())).base();
            if (!words.contains(word) && !lexicon.isHeldOut(word)) {
                words.add(word);
            }
        }
        return words;
    }

    private static String madeUp(CorpusRandom random) {
        StringBuilder word = new StringBuilder();
        for (int syllable = random.between(1, 3); syllable > 0; syllable--) {
            word.append(random.of(CONSONANTS)).append(random.of(VOWELS));
        }
        word.append(random.chance(40) ? random.of(CONSONANTS) : "");
        return random.chance(50) ? English.capital(word.toString()) : word.toString();
    }
}
