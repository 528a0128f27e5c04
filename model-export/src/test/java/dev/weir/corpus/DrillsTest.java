package dev.weir.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DrillsTest {
    private static final CorpusBook BOOK = CorpusBook.read();

    @Test
    void theLastWordsOfADrillStandTogetherBefore() {
        Set<String> drills = new HashSet<>();
        for (int seed = 0; seed < 500; seed++) {
            String drill =
                    Drills.write(Scribe.of(BOOK, new CorpusRandom(seed), CorpusSide.TRAINING, CorpusSide.TRAINING));
            String end = drill.substring(drill.length() - Math.min(10, drill.length() / 4));
            assertThat(drill.indexOf(end)).as(drill).isLessThan(drill.length() - end.length());
            drills.add(drill);
        }
        assertThat(drills).hasSize(500);
    }
}
