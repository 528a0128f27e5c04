package dev.weir.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What is held out is in no training text, whatever the seed. */
class CorpusSidesTest {
    private static final CorpusBook BOOK = CorpusBook.read();
    private static final long[] SEEDS = {1, 2, 77};
    private static final int DOCUMENTS = 300;

    /** Documents and conversations of several seeds, as text. */
    private static final List<String> TRAINING = training();

    private static List<String> training() {
        List<String> texts = new ArrayList<>();
        for (long seed : SEEDS) {
            Corpus corpus = new Corpus(BOOK, seed);
            for (int i = 0; i < DOCUMENTS; i++) {
                texts.add(corpus.text(i));
                texts.add(ConversationText.of(corpus.conversation(i), new CorpusRandom(0)));
            }
        }
        return texts;
    }

    @Test
    void noNameOrTownThatIsHeldOutIsInATrainingText() {
        Set<String> words = TRAINING.stream()
                .flatMap(text -> Pattern.compile("[\\p{L}]+(?:-[\\p{L}]+)*")
                        .matcher(text)
                        .results())
                .map(MatchResult::group)
                .collect(Collectors.toSet());
        for (String list : List.of("girl-name", "boy-name", "surname", "city", "pet-name", "robot-name")) {
            List<String> names = BOOK.lexicon().words(list, CorpusSide.HELD_OUT).stream()
                    .map(Term::base)
                    .toList();
            assertThat(names).hasSizeGreaterThan(3);
            assertThat(words).as(list).doesNotContainAnyElementsOf(names);
            assertThat(words)
                    .containsAnyElementsOf(BOOK.lexicon().words(list, CorpusSide.TRAINING).stream()
                            .map(Term::base)
                            .toList());
        }
    }

    @Test
    void noPairOfNumbersThatIsHeldOutIsInATrainingSum() {
        Pattern sum = Pattern.compile("(\\d+) ?(?:\\+|-|plus|minus) ?(\\d+)");
        int sums = 0;
        for (String text : TRAINING) {
            for (MatchResult match : sum.matcher(text).results().toList()) {
                sums++;
                assertThat(CorpusSide.TRAINING.admitsPair(
                                Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2))))
                        .as(match.group() + " in " + text)
                        .isTrue();
            }
        }
        assertThat(sums).isGreaterThan(200);
    }

    @Test
    void noHeldOutSentenceIsWrittenForTraining() {
        Set<Template> written = new HashSet<>();
        Set<Template> heldOut = new HashSet<>();
        for (Grammar.Rule rule : BOOK.grammar().rules()) {
            Set<Template> shared = new HashSet<>(rule.alternatives().heldOut());
            shared.removeAll(rule.alternatives().training());
            heldOut.addAll(shared);
        }
        Conversations conversations = new Conversations(Skills.all(BOOK));
        for (int i = 0; i < 2000; i++) {
            Scribe scribe = Scribe.of(BOOK, new CorpusRandom(i), CorpusSide.TRAINING, CorpusSide.TRAINING);
            conversations.write(scribe);
            written.addAll(scribe.written());
        }
        assertThat(heldOut).hasSizeGreaterThan(60);
        assertThat(written).hasSizeGreaterThan(500).doesNotContainAnyElementsOf(heldOut);
    }

    @Test
    void noHeldOutExerciseIsAskedInTraining() {
        Corpus corpus = new Corpus(BOOK, 9);
        for (Skill skill : corpus.skills()) {
            Set<String> training = new HashSet<>();
            for (int i = 0; i < 150; i++) {
                training.add(
                        skill.exercise(Scribe.of(BOOK, new CorpusRandom(i), CorpusSide.TRAINING, CorpusSide.TRAINING))
                                .key());
            }
            for (int i = 0; i < 60; i++) {
                assertThat(training)
                        .as(skill.name())
                        .doesNotContain(corpus.heldOut(skill, i).key());
            }
        }
    }

    @Test
    void aHashAloneDividesAndLeavesNoSideEmpty() {
        List<String> words = List.of("a", "b");
        Divided<String> divided = Divided.of("test", words, word -> word);
        assertThat(divided.training()).hasSize(1);
        assertThat(divided.heldOut()).hasSize(1);
        assertThat(Divided.of("test", words.reversed(), word -> word).heldOut()).isEqualTo(divided.heldOut());
        assertThat(CorpusSide.TRAINING.admitsPair(3, 8)).isEqualTo(CorpusSide.TRAINING.admitsPair(8, 3));
        assertThat(CorpusSide.rank("pair", "3 8")).isEqualTo(5679750522800350797L);
    }
}
