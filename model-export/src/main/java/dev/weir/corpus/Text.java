package dev.weir.corpus;

import java.util.Locale;

/** A term that is any text or number. Immutable; any thread. */
record Text(String base) implements Term {
    static Text of(int number) {
        return new Text(Integer.toString(number));
    }

    @Override
    public String form(String name) {
        return switch (name) {
            case "word" -> English.number(Integer.parseInt(base));
            case "Word" -> English.capital(English.number(Integer.parseInt(base)));
            case "low" -> base.toLowerCase(Locale.ROOT);
            default -> Term.super.form(name);
        };
    }
}
