package dev.weir.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StoryTellerTest {
    private static final CorpusBook BOOK = CorpusBook.read();

    private static Scribe scribe(long seed) {
        return Scribe.of(BOOK, new CorpusRandom(seed), CorpusSide.TRAINING, CorpusSide.TRAINING);
    }

    @Test
    void everyBeatOfEveryPlotCanHappenInEveryTelling() {
        for (StoryPlot plot : BOOK.plots()) {
            Set<Template> told = new HashSet<>();
            for (int seed = 0; seed < 120; seed++) {
                Scribe scribe = scribe(seed);
                Story story = StoryTeller.tell(scribe, plot);
                told.addAll(scribe.written());
                assertThat(story.text().replace(" ...", ""))
                        .as(plot.name())
                        .doesNotContain("{", "}", "[", "|", "  ", " .", " ,", "..", "?.", "!.", "\"\"")
                        .matches("(?s)[A-Z0-9\"].*[.!?\"]");
            }
            plot.beats().forEach(beat -> assertThat(told).as(plot.name()).containsAll(beat.tellings()));
        }
    }

    @Test
    void answersAreFoundInTheStory() {
        List<Story> stories = new ArrayList<>();
        for (int seed = 0; seed < 25; seed++) {
            for (StoryPlot plot : BOOK.plots()) {
                stories.add(StoryTeller.tell(scribe(seed), plot));
            }
            stories.add(StoryTeller.tellDay(scribe(seed)));
        }
        int questions = 0;
        for (Story story : stories) {
            String text = words(story.text());
            for (Story.Question question : story.questions()) {
                questions++;
                if (!question.answer().matches("(?i)yes|three|.*\\.")) {
                    String answer =
                            words(question.answer()).replaceFirst("^((in|on|at|by|to|with) )?((a|an|the) )?", "");
                    assertThat(text).as(question + "\n" + story.text()).contains(answer);
                }
                assertThat(question.sentence()).matches("[A-Z0-9\"].*[.!]").doesNotContain("{", " .");
            }
        }
        assertThat(questions).isGreaterThan(2000);
    }

    @Test
    void whatATellingLeftOutIsNotAsked() {
        StoryPlot plot = new StoryPlot(
                "test",
                Template.parse("A title"),
                List.of(new StoryPlot.Draw("c", "plain-color"), new StoryPlot.Role("hero", "kid")),
                List.of(),
                List.of(new StoryPlot.Beat(null, false, List.of(), List.of(Template.parse("{hero} was here.")))),
                List.of(
                        question("Who was here?", "{hero}"),
                        question("What was {hero}?", "{hero.kind}"),
                        question("Which colour was it?", "{c}")));
        for (CorpusSide side : CorpusSide.values()) {
            Story story = StoryTeller.tell(Scribe.of(BOOK, new CorpusRandom(1), CorpusSide.TRAINING, side), plot);
            assertThat(story.questions()).allMatch(asked -> asked.question().equals("Who was here?"));
        }
    }

    private static StoryPlot.Question question(String ask, String answer) {
        return new StoryPlot.Question(null, Template.parse(ask), Template.parse(answer), Template.parse(answer + "."));
    }

    /** Lower case, and numbers as digits, since a story may use either. */
    private static String words(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        for (int n = 99; n > 0; n--) {
            lower = lower.replaceAll("\\b" + English.number(n) + "\\b", "" + n);
        }
        return lower;
    }

    @Test
    void aStoryThatContradictsItselfIsRefused() {
        StoryState state = new StoryState();
        state.apply(new StoryPlot.Clause("ada", StoryPlot.Verb.HAS, "ball", false));
        state.apply(new StoryPlot.Clause("ada", StoryPlot.Verb.AT, "park", false));
        assertThat(state.place("ball")).isEqualTo("park");
        state.apply(new StoryPlot.Clause("ben", StoryPlot.Verb.HAS, "ball", false));
        assertThatThrownBy(() -> state.apply(new StoryPlot.Clause("ada", StoryPlot.Verb.HAS, "ball", true)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ball");
    }

    @Test
    void pronounsStandOnlyForWhomTheyAreClear() {
        Person ada = new Person("Ada", true, "girl");
        Person eva = new Person("Eva", true, "girl");
        Person ben = new Person("Ben", false, "boy");
        Mentions mentions = new Mentions();
        assertThat(mentions.isClear(ada)).isFalse();
        mentions.add(ada);
        mentions.add(ben);
        assertThat(mentions.isClear(ada)).isTrue();
        mentions.add(eva);
        assertThat(mentions.isClear(ada)).isFalse();
        assertThat(mentions.isClear(ben)).isTrue();
        mentions.clear();
        assertThat(List.of(mentions.isClear(ben), mentions.isClear(eva))).containsOnly(false);
    }
}
