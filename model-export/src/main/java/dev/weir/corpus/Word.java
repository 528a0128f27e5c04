package dev.weir.corpus;

import java.util.List;

/**
 * A word of the word lists. Immutable; any thread.
 *
 * @param kind what forms it has
 * @param given its irregular forms in the kind's order; the others are formed by rule
 */
record Word(String base, Kind kind, List<String> given) implements Term {
    /** What forms a word has. */
    enum Kind {
        /** {@code s} plural; {@code np} as it stands in a sentence, with its article. */
        NOUN,
        /** A noun without a plural and without "a": "snow". */
        MASS,
        /** {@code past}, {@code part} participle, {@code ing}, {@code third} person. */
        VERB,
        /** {@code er}, {@code est}. */
        ADJECTIVE,
        /** {@code in} with its preposition, {@code to}, {@code the}. */
        PLACE
    }

    @Override
    public String form(String name) {
        return switch (name) {
            case "s" -> given(0, English.plural(base));
            case "S" -> English.capital(form("s"));
            case "np" -> kind == Kind.MASS ? base : form("a");
            case "NP" -> English.capital(form("np"));
            case "past" -> given(0, English.past(base));
            case "part" -> given(1, form("past"));
            case "ing" -> given(2, English.ing(base));
            case "Ing" -> English.capital(form("ing"));
            case "third" -> given(3, English.third(base));
            case "er" -> given(0, English.compared(base, "er"));
            case "est" -> given(1, English.compared(base, "est"));
            case "in" -> given(0, "in") + " the " + base;
            case "In" -> English.capital(form("in"));
            case "to" -> "to the " + base;
            case "the" -> "the " + base;
            case "The" -> "The " + base;
            default -> Term.super.form(name);
        };
    }

    private String given(int place, String regular) {
        return place < given.size() && !given.get(place).isEmpty() ? given.get(place) : regular;
    }
}
