package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A text with slots and choices, ready to be written by a {@link Scribe}. Immutable; any thread.
 *
 * <pre>
 * {hero} went {place.to}            a slot, here in its form "to"
 * {animal@pet.a}                    draws from "animal", keeps it as "pet", writes it as "a cat"
 * {2-9@n.word}                      a number, kept as "n", in words
 * [Hello|Good morning[, {name}|]]   one of the texts
 * [1~day|night] ... [1~sun|moon]    the same one in each choice with that number
 * </pre>
 *
 * @param source what it was read from, by which it is held out or not
 */
record Template(String source, List<Part> parts) {
    /** A piece of a template. */
    sealed interface Part permits Literal, Slot, Choice {}

    /** Words as they are. */
    record Literal(String text) implements Part {}

    /** Something to be filled in. */
    record Slot(
            String name, @Nullable String keptAs, @Nullable String form) implements Part {
        /** What a reader knows once this was written: who it is, or only what they are. */
        String toldName() {
            return "kind".equals(form) || "akind".equals(form) ? name + ".kind" : name;
        }
    }

    /** One of several texts; choices of one group, above 0, take the same one. */
    record Choice(int group, List<List<Part>> options) implements Part {}

    /** Groups are numbered below this. */
    static final int GROUPS = 10;

    /** @throws IllegalArgumentException if brackets do not match */
    static Template parse(String source) {
        Parser parser = new Parser(source);
        List<Part> parts = parser.sequence(0);
        if (parser.place < source.length()) {
            throw new IllegalArgumentException("a bracket closes that was not opened: " + source);
        }
        return new Template(source, parts);
    }

    /** The names of the slots that are outside of choices. */
    List<String> toldNames() {
        return parts.stream()
                .filter(Slot.class::isInstance)
                .map(part -> ((Slot) part).toldName())
                .toList();
    }

    /** How many different texts it has before its slots are filled; at most a million. */
    int variants() {
        return variants(parts);
    }

    private static int variants(List<Part> parts) {
        long product = 1;
        for (Part part : parts) {
            if (part instanceof Choice choice) {
                int sum = 0;
                for (List<Part> option : choice.options) {
                    sum += variants(option);
                }
                product = Math.min(1_000_000, product * sum);
            }
        }
        return (int) product;
    }

    private static final class Parser {
        private final String source;
        private int place;

        Parser(String source) {
            this.source = source;
        }

        List<Part> sequence(int depth) {
            List<Part> parts = new ArrayList<>();
            StringBuilder literal = new StringBuilder();
            while (place < source.length()) {
                char c = source.charAt(place);
                if (depth > 0 && (c == '|' || c == ']')) {
                    break;
                }
                if (c == ']') {
                    break;
                }
                place++;
                if (c == '{' || c == '[') {
                    addLiteral(parts, literal);
                    parts.add(c == '{' ? slot() : choice(depth));
                } else if (c == '\\') {
                    char escaped = source.charAt(place++);
                    literal.append(escaped == 'n' ? '\n' : escaped);
                } else {
                    literal.append(c);
                }
            }
            addLiteral(parts, literal);
            return List.copyOf(parts);
        }

        private static void addLiteral(List<Part> parts, StringBuilder literal) {
            if (!literal.isEmpty()) {
                parts.add(new Literal(literal.toString()));
                literal.setLength(0);
            }
        }

        private Choice choice(int depth) {
            int group = 0;
            if (source.startsWith("~", place + 1)) {
                group = source.charAt(place) - '0';
                place += 2;
            }
            List<List<Part>> options = new ArrayList<>();
            while (true) {
                options.add(sequence(depth + 1));
                if (place == source.length()) {
                    throw new IllegalArgumentException("a [ is not closed: " + source);
                }
                if (source.charAt(place++) == ']') {
                    return new Choice(group, List.copyOf(options));
                }
            }
        }

        private Slot slot() {
            int end = source.indexOf('}', place);
            if (end < 0) {
                throw new IllegalArgumentException("a { is not closed: " + source);
            }
            String inside = source.substring(place, end);
            place = end + 1;
            int dot = inside.indexOf('.');
            String form = dot < 0 ? null : inside.substring(dot + 1);
            String head = dot < 0 ? inside : inside.substring(0, dot);
            int at = head.indexOf('@');
            String keptAs = at < 0 ? null : head.substring(at + 1);
            return new Slot(at < 0 ? head : head.substring(0, at), keptAs, form);
        }
    }
}
