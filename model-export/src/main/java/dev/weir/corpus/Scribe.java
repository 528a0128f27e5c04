package dev.weir.corpus;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes templates out as text: it makes the choices of one document, and remembers what stands for each name and who was
 * spoken of last. Owned by one thread.
 */
final class Scribe {
    /** Draws after which a value that must differ from others may repeat one. */
    private static final int TRIES = 400;

    private final CorpusBook book;
    private final CorpusRandom random;
    private final CorpusSide values;
    private final CorpusSide templates;
    private final Cast cast;
    private final Set<Template> written;
    private final Map<String, Term> kept = new HashMap<>();
    private final Mentions mentions = new Mentions();
    private final Set<String> told = new HashSet<>();

    private Scribe(
            CorpusBook book,
            CorpusRandom random,
            CorpusSide values,
            CorpusSide templates,
            Cast cast,
            Set<Template> written) {
        this.book = book;
        this.random = random;
        this.values = values;
        this.templates = templates;
        this.cast = cast;
        this.written = written;
    }

    /** A scribe for one document of a side. */
    static Scribe of(CorpusBook book, CorpusRandom random, CorpusSide values, CorpusSide templates) {
        return new Scribe(book, random, values, templates, new Cast(book.lexicon(), random, values), new HashSet<>());
    }

    /** A scribe for another part of the same document: it knows no names yet, but repeats neither people nor sentences. */
    Scribe another() {
        return new Scribe(book, random, values, templates, cast, written);
    }

    CorpusBook book() {
        return book;
    }

    CorpusRandom random() {
        return random;
    }

    /** The templates that the document was written from so far. */
    Set<Template> written() {
        return written;
    }

    Cast cast() {
        return cast;
    }

    /** The side that the values are drawn from. */
    CorpusSide side() {
        return values;
    }

    /** The side that the sentences are drawn from. */
    CorpusSide templates() {
        return templates;
    }

    void keep(String name, Term term) {
        kept.put(name, term);
    }

    void keep(String name, String text) {
        kept.put(name, new Text(text));
    }

    void keep(String name, int number) {
        kept.put(name, Text.of(number));
    }

    boolean knows(String name) {
        return kept.containsKey(name);
    }

    Term kept(String name) {
        @Nullable Term term = kept.get(name);
        if (term == null) {
            throw new IllegalArgumentException("nothing is kept as " + name);
        }
        return term;
    }

    /** Lets something be written whose own names are not known afterwards. */
    void apart(Runnable writing) {
        Map<String, Term> before = Map.copyOf(kept);
        writing.run();
        kept.clear();
        kept.putAll(before);
    }

    /** The names whose terms were written out since this was cleared; with {@code .kind} where that was written. */
    Set<String> told() {
        return told;
    }

    /** Pronouns do not reach back over this. */
    void beginParagraph() {
        mentions.clear();
    }

    /** A rule, written out. */
    String write(String rule) {
        return write(book.grammar().rule(rule));
    }

    /** One of the templates, if possible one that this document does not have yet. */
    Template choose(List<Template> alternatives) {
        Template template = random.of(alternatives);
        for (int i = 0; i < 6 && written.contains(template); i++) {
            template = random.of(alternatives);
        }
        written.add(template);
        return template;
    }

    String write(Grammar.Rule rule) {
        return write(choose(rule.alternatives().of(templates)));
    }

    String write(Template template) {
        StringBuilder out = new StringBuilder();
        try {
            write(template.parts(), out, new int[Template.GROUPS]);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + ", in: " + template.source(), e);
        }
        return English.tidied(out.toString());
    }

    /** @param taken the option that each group of choices took, counted from 1 */
    private void write(List<Template.Part> parts, StringBuilder out, int[] taken) {
        for (Template.Part part : parts) {
            switch (part) {
                case Template.Literal literal -> out.append(literal.text());
                case Template.Choice choice -> write(option(choice, taken), out, taken);
                case Template.Slot slot -> append(fill(slot), out);
            }
        }
    }

    private List<Template.Part> option(Template.Choice choice, int[] taken) {
        int group = choice.group();
        if (group == 0) {
            return random.of(choice.options());
        }
        if (taken[group] == 0) {
            taken[group] = 1 + random.below(choice.options().size());
        }
        return choice.options().get(taken[group] - 1);
    }

    /** Appends a filled slot; "a" before it becomes "an" where that is how it is spoken. */
    private static void append(String filled, StringBuilder out) {
        int n = out.length();
        boolean article = n > 1
                && out.charAt(n - 1) == ' '
                && (out.charAt(n - 2) == 'a' || out.charAt(n - 2) == 'A')
                && (n == 2 || !Character.isLetterOrDigit(out.charAt(n - 3)));
        if (article && English.article(filled).equals("an")) {
            out.insert(n - 1, 'n');
        }
        out.append(filled);
    }

    private String fill(Template.Slot slot) {
        String keptAs = slot.keptAs();
        @Nullable Term known = keptAs == null ? kept.get(slot.name()) : null;
        Term term = known == null ? term(slot.name()) : known;
        if (keptAs != null) {
            kept.put(keptAs, term);
        }
        told.add(keptAs == null ? slot.toldName() : keptAs);
        String form = slot.form();
        if (term instanceof Person person) {
            return speakOf(person, form);
        }
        return form == null ? term.base() : term.form(form);
    }

    private String speakOf(Person person, @Nullable String form) {
        if (form == null) {
            mentions.add(person);
            return person.base();
        }
        if (form.equals("ref") || form.equals("Ref")) {
            boolean isClear = mentions.isClear(person) && random.chance(80);
            mentions.add(person);
            return isClear ? person.form(form.equals("ref") ? "they" : "They") : person.base();
        }
        if (!form.equals("kind") && !form.equals("akind")) {
            mentions.add(person);
        }
        return person.form(form);
    }

    /** A word of the list, a text of the rule, a number of the range, a fact or a person of the role that is called so. */
    Term term(String name) {
        if (book.lexicon().has(name)) {
            return draw(name);
        }
        if (book.grammar().has(name)) {
            return new Text(write(name));
        }
        if (Character.isDigit(name.charAt(0))) {
            return Text.of(number(name));
        }
        if (name.equals("known-fact")) {
            return new Text(Prose.fact(another()));
        }
        return cast.person(name);
    }

    /** A number of a range such as "2-9". */
    int number(String range) {
        int dash = range.indexOf('-');
        return random.between(Integer.parseInt(range.substring(0, dash)), Integer.parseInt(range.substring(dash + 1)));
    }

    /** A word of a list that is none of the kept ones. */
    Term draw(String list) {
        List<Term> words = book.lexicon().words(list, values);
        return differing(() -> random.of(words), word -> !kept.containsValue(word));
    }

    /** Several different plain words of a list. */
    List<String> draw(String list, int count) {
        List<Term> words = book.lexicon().words(list, values);
        List<String> drawn = new ArrayList<>();
        while (drawn.size() < count) {
            drawn.add(differing(() -> random.of(words).base(), word -> !drawn.contains(word)));
        }
        return drawn;
    }

    /**
     * A value that this side may use in a kind of exercise.
     *
     * @throws IllegalStateException if there seems to be none
     */
    <T> T admitted(String domain, Supplier<T> draw, Function<T, String> key) {
        for (int i = 0; i < TRIES; i++) {
            T value = draw.get();
            if (values.admits(domain, key.apply(value))) {
                return value;
            }
        }
        throw new IllegalStateException("no value of " + domain + " is " + values);
    }

    <T> T of(Divided<T> divided) {
        return random.of(divided.of(values));
    }

    private static <T> T differing(Supplier<T> draw, Predicate<T> isNew) {
        T value = draw.get();
        for (int i = 0; i < TRIES && !isNew.test(value); i++) {
            value = draw.get();
        }
        return value;
    }
}
