package dev.weir.corpus;

import java.util.Locale;

/** What a slot of a template stands for, in the forms that English gives it. Immutable; any thread. */
sealed interface Term permits Text, Word, Person {
    /** The plain form. */
    String base();

    /**
     * A form by its name: {@code a} and {@code A} with the article, {@code Cap} with a capital, {@code Title} with capitals,
     * {@code UP} in capitals, and those of each kind of term.
     *
     * @throws IllegalArgumentException if there is no such form
     */
    default String form(String name) {
        return switch (name) {
            case "a" -> English.article(base()) + " " + base();
            case "A" -> English.capital(English.article(base())) + " " + base();
            case "Cap" -> English.capital(base());
            case "Title" -> English.title(base());
            case "UP" -> base().toUpperCase(Locale.ROOT);
            default -> throw new IllegalArgumentException("\"" + base() + "\" has no form ." + name);
        };
    }
}
