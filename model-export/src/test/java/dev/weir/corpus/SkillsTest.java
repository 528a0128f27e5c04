package dev.weir.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Answers are worked out again from the questions' text alone. */
class SkillsTest {
    private static final int EXERCISES = 150;
    private static final CorpusBook BOOK = CorpusBook.read();
    private static final Corpus CORPUS = new Corpus(BOOK, 3);

    private static List<Skill.Exercise> exercises(String name) {
        Skill skill = CORPUS.skills().stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow();
        List<Skill.Exercise> exercises = new ArrayList<>();
        for (int i = 0; i < EXERCISES; i++) {
            CorpusSide side = i % 3 == 0 ? CorpusSide.HELD_OUT : CorpusSide.TRAINING;
            exercises.add(skill.exercise(Scribe.of(BOOK, new CorpusRandom(i), side, side)));
        }
        return exercises;
    }

    private static String question(Skill.Exercise exercise) {
        return ((Conversation.Said) exercise.asked().getLast()).content();
    }

    private static List<Integer> numbers(String text) {
        return Pattern.compile("\\d+")
                .matcher(text)
                .results()
                .map(MatchResult::group)
                .map(Integer::valueOf)
                .toList();
    }

    @Test
    void sumsAndDifferencesAreRight() {
        for (String name : List.of("sum-1-digit", "sum-2-digits", "sum-2-digits-carry", "sum-in-words")) {
            for (Skill.Exercise exercise : exercises(name)) {
                List<Integer> numbers = numbers(question(exercise));
                assertThat(exercise.answer()).as(question(exercise)).isEqualTo("" + (numbers.get(0) + numbers.get(1)));
            }
        }
        for (String name : List.of(
                "difference-1-digit", "difference-2-digits", "difference-2-digits-borrow", "difference-in-words")) {
            for (Skill.Exercise exercise : exercises(name)) {
                List<Integer> numbers = numbers(question(exercise));
                assertThat(exercise.answer())
                        .as(question(exercise))
                        .isEqualTo("" + Math.abs(numbers.get(0) - numbers.get(1)));
            }
        }
    }

    @Test
    void sumsCarryWhereTheSkillSaysSo() {
        assertThat(exercises("sum-2-digits-carry")).allMatch(exercise -> {
            List<Integer> numbers = numbers(question(exercise));
            return numbers.get(0) % 10 + numbers.get(1) % 10 > 9;
        });
        assertThat(exercises("sum-2-digits")).allMatch(exercise -> {
            List<Integer> numbers = numbers(question(exercise));
            return numbers.get(0) % 10 + numbers.get(1) % 10 < 10;
        });
    }

    @Test
    void numbersAreComparedSortedAndContinuedRightly() {
        for (Skill.Exercise exercise : exercises("largest")) {
            assertThat(exercise.answer())
                    .isEqualTo(""
                            + numbers(question(exercise)).stream()
                                    .max(Integer::compare)
                                    .orElseThrow());
        }
        for (Skill.Exercise exercise : exercises("sort-numbers")) {
            assertThat(numbers(exercise.answer()))
                    .isEqualTo(numbers(question(exercise)).stream().sorted().toList());
        }
        for (Skill.Exercise exercise : exercises("count-up")) {
            List<Integer> ends = numbers(question(exercise));
            List<Integer> counted = numbers(exercise.answer());
            assertThat(counted).startsWith(ends.get(0)).endsWith(ends.get(1)).isSorted();
            assertThat(counted).hasSize(ends.get(1) - ends.get(0) + 1);
        }
        for (Skill.Exercise exercise : exercises("next-number")) {
            List<Integer> shown = numbers(question(exercise));
            int next = Integer.parseInt(exercise.answer());
            int last = shown.getLast();
            int before = shown.get(shown.size() - 2);
            assertThat(next).as(question(exercise)).isIn(last + (last - before), last * 2);
        }
    }

    @Test
    void wordsAreTakenApartRightly() {
        for (Skill.Exercise exercise : exercises("spell")) {
            assertThat(question(exercise)).contains(exercise.answer().replace("-", ""));
        }
        for (Skill.Exercise exercise : exercises("reverse")) {
            assertThat(question(exercise)).contains(new StringBuilder(exercise.answer()).reverse());
        }
        for (Skill.Exercise exercise : exercises("upper-case")) {
            assertThat(exercise.answer()).isUpperCase();
            assertThat(question(exercise)).contains(exercise.answer().toLowerCase(Locale.ROOT));
        }
        for (Skill.Exercise exercise : exercises("sort-words")) {
            List<String> sorted = List.of(exercise.answer().split(", ", -1));
            assertThat(sorted).isSortedAccordingTo(String.CASE_INSENSITIVE_ORDER);
            assertThat(question(exercise)).contains(sorted);
        }
        for (Skill.Exercise exercise : exercises("copy")) {
            assertThat(question(exercise)).contains(exercise.answer());
        }
    }

    @Test
    void aThingIsWhereItsFinderLeftIt() {
        Pattern move = Pattern.compile("^(?:Then )?(\\w+) (?:goes|walks|runs|moves|went|walked|ran|hurried|is)"
                + " (?:to|in|on|at|by) the ([a-z ]+?)(?: now)?$");
        for (Skill.Exercise exercise : exercises("where-is-it")) {
            Map<String, String> places = new HashMap<>();
            String holder = "";
            String left = "";
            String mover = "";
            List<String> sentences = List.of(question(exercise).split("(?<=[.?]) ", -1));
            String asked = sentences.stream()
                    .filter(text -> text.matches(".*(Where|In which|Tell me).*"))
                    .findFirst()
                    .orElseThrow();
            for (String sentence : sentences.subList(0, sentences.indexOf(asked))) {
                Matcher matcher = move.matcher(sentence.substring(0, sentence.length() - 1));
                if (matcher.matches()) {
                    mover = matcher.group(1);
                    places.put(mover, matcher.group(2));
                } else {
                    String who = sentence.replaceFirst("^There ", "").replaceFirst(" .*", "");
                    if (sentence.matches(".*(leaves|drops|puts|left|dropped|put|lays).*")) {
                        left = places.get(who);
                        holder = "";
                    } else {
                        holder = who;
                    }
                }
            }
            String who =
                    places.keySet().stream().filter(asked::contains).findFirst().orElse("");
            String expected = who.isEmpty() ? holder.isEmpty() ? left : places.get(holder) : places.get(who);
            assertThat(exercise.answer()).as(question(exercise)).isEqualTo(expected);
        }
    }

    @Test
    void aNameIsRememberedAcrossTurns() {
        for (Skill.Exercise exercise : exercises("memory-name")) {
            String name = exercise.answer().replace("Your name is ", "").replace(".", "");
            assertThat(exercise.asked().size()).isGreaterThan(2);
            assertThat(exercise.asked().toString()).contains(name);
            assertThat(question(exercise)).doesNotContain(name);
        }
    }

    @Test
    void resultsOfToolsAreToldAsTheyCame() {
        for (Skill.Exercise exercise : exercises("tool-result")) {
            assertThat(((Conversation.Returned) exercise.asked().getLast()).content())
                    .contains(exercise.answer());
        }
        for (Skill.Exercise exercise : exercises("tool-call")) {
            Conversation.Called call = (Conversation.Called) exercise.reply();
            assertThat(exercise.tools()).anyMatch(tool -> tool.name().equals(call.function()));
        }
    }
}
