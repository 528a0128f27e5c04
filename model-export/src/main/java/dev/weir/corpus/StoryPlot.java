package dev.weir.corpus;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The skeleton of a story: who and what takes part, what happens in which order, and what can be asked about it. Immutable;
 * any thread.
 *
 * <pre>
 * plot lost-toy
 * title [The Lost {toy.Title}|{hero} Looks Everywhere]
 * cast hero child, friend child
 * let toy toy, p1 outdoor, n 2-5
 * sum all = n 2-9 + m 2-9
 * branch end found|given
 * * hero has toy; hero at p1         a beat: what it changes, then its tellings, one a line
 * {hero} had {toy.a}.
 * *? @found hero has toy?            an optional beat of one branch, which asks the state for something
 * {hero} still had it.
 * ? What did {hero} have? = {toy} = {hero} had {toy.a}.
 * </pre>
 *
 * @param bindings what is drawn before the story is told, in order
 */
record StoryPlot(
        String name,
        Template title,
        List<Binding> bindings,
        List<Branch> branches,
        List<Beat> beats,
        List<Question> questions) {

    /** A name and where its value is drawn from. */
    sealed interface Binding permits Role, Draw, Sum {}

    /** Somebody of a kind that {@link Cast} knows. */
    record Role(String name, String role) implements Binding {}

    /** A word of a list, a number of a range or a text of a rule. */
    record Draw(String name, String source) implements Binding {}

    /** Two numbers and what they make. */
    record Sum(String name, String one, String oneRange, boolean isDifference, String other, String otherRange)
            implements Binding {}

    /** A point at which the story goes one of several ways. */
    record Branch(List<String> labels) {}

    /** Something that happens. */
    record Beat(@Nullable String label, boolean isOptional, List<Clause> clauses, List<Template> tellings) {}

    /** That somebody has something or that somebody or something is somewhere: asked for or brought about. */
    record Clause(String subject, Verb verb, String object, boolean isNeeded) {}

    /** What a clause says. */
    enum Verb {
        HAS,
        AT
    }

    /** What can be asked afterwards, with its answer in short and as a sentence. */
    record Question(@Nullable String label, Template ask, Template answer, Template tell) {}
}
