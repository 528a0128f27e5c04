package dev.weir.corpus;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The regular forms of English words; words that form theirs otherwise say so in the word lists. Static functions. */
final class English {
    private static final String VOWELS = "aeiou";
    private static final Set<String> SILENT_H = Set.of("hour", "honest", "honour", "heir");
    private static final List<String> SAID_AS_YOU = List.of("uni", "use", "usu", "eur", "one", "once", "uku", "uti");
    private static final Set<String> SMALL_WORDS =
            Set.of("a", "an", "the", "of", "in", "on", "at", "by", "to", "and", "with", "from", "for");
    private static final List<String> ONES = List.of(
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen");
    private static final List<String> TENS =
            List.of("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety");

    private English() {}

    /** "a" or "an", as the next word is spoken. */
    static String article(String word) {
        String lower = word.toLowerCase(Locale.ROOT);
        if (lower.startsWith("8") || lower.equals("11") || lower.equals("18")) {
            return "an";
        }
        if (lower.isEmpty() || VOWELS.indexOf(lower.charAt(0)) < 0) {
            return SILENT_H.stream().anyMatch(lower::startsWith) ? "an" : "a";
        }
        boolean unit = SAID_AS_YOU.stream().anyMatch(lower::startsWith)
                && !lower.startsWith("unim")
                && !lower.startsWith("unin");
        return unit ? "a" : "an";
    }

    static String plural(String noun) {
        int of = noun.indexOf(" of ");
        if (of > 0) {
            return plural(noun.substring(0, of)) + noun.substring(of);
        }
        if (endsWithAny(noun, "s", "x", "z", "ch", "sh")) {
            return noun + "es";
        }
        if (isConsonantThenY(noun)) {
            return noun.substring(0, noun.length() - 1) + "ies";
        }
        return noun + "s";
    }

    /** "walks" of "walk"; of a phrase, its first word changes. */
    static String third(String verb) {
        return firstWord(verb, word -> word.endsWith("o") ? word + "es" : plural(word));
    }

    static String ing(String verb) {
        return firstWord(verb, word -> {
            if (word.endsWith("ie")) {
                return word.substring(0, word.length() - 2) + "ying";
            }
            if (word.endsWith("e") && !endsWithAny(word, "ee", "oe", "ye")) {
                return word.substring(0, word.length() - 1) + "ing";
            }
            return doubled(word) + "ing";
        });
    }

    static String past(String verb) {
        return firstWord(verb, word -> {
            if (word.endsWith("e")) {
                return word + "d";
            }
            if (isConsonantThenY(word)) {
                return word.substring(0, word.length() - 1) + "ied";
            }
            return doubled(word) + "ed";
        });
    }

    /** "bigger" of "big" with {@code er}; long adjectives take "more" and "most" and say so in the word lists. */
    static String compared(String adjective, String ending) {
        if (adjective.endsWith("e")) {
            return adjective + ending.substring(1);
        }
        if (isConsonantThenY(adjective)) {
            return adjective.substring(0, adjective.length() - 1) + "i" + ending;
        }
        return doubled(adjective) + ending;
    }

    static String capital(String text) {
        return text.isEmpty() ? text : Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }

    /** Every word with a capital letter but the small ones inside. */
    static String title(String text) {
        String[] words = text.split(" ", -1);
        for (int i = 0; i < words.length; i++) {
            words[i] = i > 0 && SMALL_WORDS.contains(words[i]) ? words[i] : capital(words[i]);
        }
        return String.join(" ", words);
    }

    /**
     * Sentences whose parts were put together: a question or a cry needs no comma or full stop after it, and nothing needs two
     * full stops.
     */
    static String tidied(String text) {
        StringBuilder tidy = new StringBuilder(text);
        for (int i = tidy.length() - 1; i > 0; i--) {
            char before = tidy.charAt(i - 1);
            char c = tidy.charAt(i);
            boolean needless = (before == '?' || before == '!') && (c == ',' || c == '!' || c == '.');
            boolean twice = before == '.'
                    && c == '.'
                    && (i < 2 || tidy.charAt(i - 2) != '.')
                    && (i + 1 == tidy.length() || tidy.charAt(i + 1) != '.');
            if (needless || twice) {
                tidy.deleteCharAt(i);
            }
        }
        return tidy.toString();
    }

    /** A number from 0 to 999 in words. */
    static String number(int number) {
        if (number < 20) {
            return ONES.get(number);
        }
        if (number < 100) {
            return TENS.get(number / 10) + (number % 10 == 0 ? "" : "-" + ONES.get(number % 10));
        }
        String hundreds = ONES.get(number / 100) + " hundred";
        return number % 100 == 0 ? hundreds : hundreds + " and " + number(number % 100);
    }

    /** "a, b and c". */
    static String list(List<String> parts) {
        int last = parts.size() - 1;
        return last < 1
                ? String.join("", parts)
                : String.join(", ", parts.subList(0, last)) + " and " + parts.get(last);
    }

    private interface Change {
        String of(String word);
    }

    private static String firstWord(String phrase, Change change) {
        int space = phrase.indexOf(' ');
        return space < 0 ? change.of(phrase) : change.of(phrase.substring(0, space)) + phrase.substring(space);
    }

    private static boolean isConsonantThenY(String word) {
        return word.endsWith("y") && word.length() > 1 && VOWELS.indexOf(word.charAt(word.length() - 2)) < 0;
    }

    private static boolean endsWithAny(String word, String... endings) {
        for (String ending : endings) {
            if (word.endsWith(ending)) {
                return true;
            }
        }
        return false;
    }

    /** A short word's last consonant twice: "hopp" of "hop", but "wait" of "wait". */
    private static String doubled(String word) {
        int n = word.length();
        if (n < 3 || isVowel(word, n - 1) || !isVowel(word, n - 2) || isVowel(word, n - 3)) {
            return word;
        }
        boolean oneSyllable = true;
        for (int i = 0; i < n - 3; i++) {
            oneSyllable &= !isVowel(word, i);
        }
        return oneSyllable && "wxy".indexOf(word.charAt(n - 1)) < 0 ? word + word.charAt(n - 1) : word;
    }

    private static boolean isVowel(String word, int place) {
        return VOWELS.indexOf(word.charAt(place)) >= 0;
    }
}
