package dev.weir.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class MergerTest {
    @Test
    void lowestRankGoesFirstAndTheLeftmostPlaceOfIt() {
        MergeTable table = new MergeTable(2);
        table.put(1, 1, 0, 2);
        table.put(2, 1, 1, 3);

        assertThat(merge(table, false, 1, 1, 1)).containsExactly(3);
        assertThat(merge(table, true, 1, 1, 1)).containsExactly(3);
        assertThat(merge(table, true, 1, 1, 1, 1, 1)).containsExactly(2, 3);
    }

    @Test
    void bothWaysGiveWhatASearchAfterEveryMergeGives() {
        long seed = Texts.seed();
        Random random = new Random(seed);
        for (int round = 0; round < 3000; round++) {
            int letters = 1 + random.nextInt(4);
            int rules = random.nextInt(30);
            MergeTable table = new MergeTable(rules);
            for (int rank = 0; rank < rules; rank++) {
                // any pair of symbols there are, so that a merge can make room for one of lower rank
                table.put(random.nextInt(letters + rules), random.nextInt(letters + rules), rank, letters + rank);
            }
            int[] symbols = random.ints(1 + random.nextInt(Merger.LONG_WORD - 1), 0, letters)
                    .toArray();
            List<Integer> expected = search(table, symbols);

            assertThat(merge(table, false, symbols))
                    .as("short, tests.seed=%d", seed)
                    .isEqualTo(expected);
            assertThat(merge(table, true, symbols))
                    .as("long, tests.seed=%d", seed)
                    .isEqualTo(expected);
        }
    }

    private static List<Integer> merge(MergeTable table, boolean longWord, int... symbols) {
        int[] copy = symbols.clone();
        Merger merger = new Merger(table);
        int left = longWord ? merger.mergeLong(copy, copy.length) : merger.mergeShort(copy, copy.length);
        return Arrays.stream(copy, 0, left).boxed().toList();
    }

    private static List<Integer> search(MergeTable table, int[] start) {
        List<Integer> symbols = new ArrayList<>(Arrays.stream(start).boxed().toList());
        while (true) {
            int place = -1;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                long rule = table.rule(symbols.get(i), symbols.get(i + 1));
                if (rule != MergeTable.NONE
                        && (place < 0 || rule < table.rule(symbols.get(place), symbols.get(place + 1)))) {
                    place = i;
                }
            }
            if (place < 0) {
                return symbols;
            }
            symbols.set(place, MergeTable.made(table.rule(symbols.get(place), symbols.get(place + 1))));
            symbols.subList(place + 1, place + 2).clear();
        }
    }
}
