package dev.weir.corpus;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tells a plot as a story: casts it, lets its beats happen to a {@link StoryState}, and writes each in one of its tellings.
 * Owned by one thread.
 */
final class StoryTeller {
    private static final int MOST_IN_PARAGRAPH = 420;

    /** The end of a speech that lacks its comma: some of its tellings end in a mark of their own, others do not. */
    private static final Pattern UNMARKED =
            Pattern.compile("(?<=[\\p{L}\\d])\" (?=(?:\\p{Lu}[\\p{L}.'-]* (?:\\p{Lu}[\\p{L}'-]* )?|s?he |it )?"
                    + "(?:said|asked|called|cried|whispered|shouted|thought|muttered|sighed)\\b)");

    private final Scribe scribe;
    private final StoryState state = new StoryState();
    private final StringBuilder text = new StringBuilder();
    private final List<Story.Question> questions = new ArrayList<>();
    private int paragraph;

    private StoryTeller(Scribe scribe) {
        this.scribe = scribe;
        // All that is said of the town and the house is said of the same ones.
        scribe.keep("town", scribe.draw("town"));
        scribe.keep("home", scribe.draw("home"));
    }

    /** A story of any plot, or of an ordinary day. */
    static Story tell(Scribe scribe) {
        return scribe.random().chance(40)
                ? tellDay(scribe)
                : tell(scribe, scribe.random().of(scribe.book().plots()));
    }

    /** A story about which something can be asked. */
    static Story tellToAsk(Scribe scribe) {
        Story story;
        do {
            story = tell(scribe.another());
        } while (story.questions().isEmpty());
        return story;
    }

    /** @throws IllegalStateException if the plot lets something happen that cannot */
    static Story tell(Scribe scribe, StoryPlot plot) {
        StoryTeller teller = new StoryTeller(scribe);
        teller.happen(plot);
        return new Story(plot.name(), scribe.write(plot.title()), teller.text.toString(), teller.questions);
    }

    /** A day on which a few things happen, in any order. */
    static Story tellDay(Scribe scribe) {
        StoryTeller teller = new StoryTeller(scribe);
        for (String role : List.of("hero child", "friend child", "elder elder")) {
            int space = role.indexOf(' ');
            scribe.keep(role.substring(0, space), scribe.cast().person(role.substring(space + 1)));
        }
        scribe.keep("weekday", scribe.draw("weekday"));
        teller.add(scribe.write("day-begin"));
        List<StoryPlot> events = new ArrayList<>(scribe.book().events());
        scribe.random().shuffle(events);
        int last = scribe.random().between(2, 4);
        for (int i = 0; i <= last; i++) {
            StoryPlot event = events.get(i);
            scribe.keep("next", scribe.write(i == 0 ? "next-first" : i == last ? "next-last" : "next-middle"));
            scribe.apart(() -> teller.happen(event));
        }
        teller.add(scribe.write("day-over"));
        return new Story("day", scribe.write("day-title"), teller.text.toString(), teller.questions);
    }

    private void happen(StoryPlot plot) {
        plot.bindings().forEach(this::bind);
        scribe.told().clear();
        Set<@Nullable String> labels = new HashSet<>();
        labels.add(null);
        for (StoryPlot.Branch branch : plot.branches()) {
            labels.add(scribe.random().of(branch.labels()));
        }
        for (StoryPlot.Beat beat : plot.beats()) {
            if (labels.contains(beat.label())
                    && !(beat.isOptional() && scribe.random().chance(45))) {
                beat.clauses().forEach(state::apply);
                add(scribe.write(scribe.choose(beat.tellings())));
            }
        }
        // What a telling left out is not asked.
        Set<String> told = Set.copyOf(scribe.told());
        for (StoryPlot.Question question : plot.questions()) {
            boolean isAsked = labels.contains(question.label())
                    && told.containsAll(question.answer().toldNames())
                    && (scribe.templates() == CorpusSide.HELD_OUT)
                            == CorpusSide.isHeldOut("template", question.ask().source());
            if (isAsked) {
                questions.add(new Story.Question(
                        question.ask().source(),
                        scribe.write(question.ask()),
                        scribe.write(question.answer()),
                        scribe.write(question.tell())));
            }
        }
    }

    private void add(String telling) {
        if (text.length() - paragraph > MOST_IN_PARAGRAPH - scribe.random().below(260)) {
            text.append("\n\n");
            paragraph = text.length();
            scribe.beginParagraph();
        } else if (!text.isEmpty()) {
            text.append(' ');
        }
        text.append(UNMARKED.matcher(telling).replaceAll(",\" "));
    }

    private void bind(StoryPlot.Binding binding) {
        switch (binding) {
            case StoryPlot.Role role -> scribe.keep(role.name(), scribe.cast().person(role.role()));
            case StoryPlot.Draw draw -> scribe.keep(draw.name(), scribe.term(draw.source()));
            case StoryPlot.Sum sum -> {
                int one;
                int other;
                int tries = 0;
                do {
                    one = scribe.number(sum.oneRange());
                    other = scribe.number(sum.otherRange());
                } while ((sum.isDifference() && other > one - 2) || !isFree(scribe.side(), one, other, tries++));
                scribe.keep(sum.one(), one);
                scribe.keep(sum.other(), other);
                scribe.keep(sum.name(), sum.isDifference() ? one - other : one + other);
            }
        }
    }

    /** Training shows no pair that is held out; where small numbers leave no such pair, a held-out story takes another. */
    private static boolean isFree(CorpusSide side, int one, int other, int tries) {
        return side.admitsPair(one, other) || (side == CorpusSide.HELD_OUT && tries > 100);
    }
}
