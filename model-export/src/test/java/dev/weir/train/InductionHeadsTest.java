package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InductionHeadsTest {
    private static final int VOCABULARY = 1000;
    private static final int ITEMS = 24;
    private static final GptConfig CONFIG = new GptConfig(4, 6, 384, 256, VOCABULARY, 0);

    /** Items at random, again from the first on; with a mark after each or none. */
    private static int[] twice(boolean marks) {
        int[] ids = new int[2 * ITEMS * (marks ? 2 : 1)];
        Random random = new Random(4);
        for (int i = 0; i < ids.length; i++) {
            int before = i - ids.length / 2;
            ids[i] = before >= 0 ? ids[before] : marks && i % 2 == 1 ? 7 : 8 + random.nextInt(VOCABULARY - 8);
        }
        return ids;
    }

    /** How many of the second half's items are among the ten likeliest tokens; a guess would be there once in a hundred. */
    private static int foreseen(GptWeights weights, boolean marks) {
        int[] ids = twice(marks);
        float[][] logits = new LibtorchLogits(weights).logits(ids);
        int step = marks ? 2 : 1;
        int foreseen = 0;
        for (int next = ids.length / 2 + step; next < ids.length; next += step) {
            float expected = logits[next - 1][ids[next]];
            int likelier = 0;
            for (float logit : logits[next - 1]) {
                likelier += logit > expected ? 1 : 0;
            }
            foreseen += likelier < 10 ? 1 : 0;
        }
        return foreseen;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anUntrainedModelForeseesWhatFollowedTheLastTime(boolean marks) {
        assertThat(foreseen(new RandomGptWeights(CONFIG, 1), marks)).isLessThan(4);
        assertThat(foreseen(new RandomGptWeights(CONFIG, 1, new InductionHeads(CONFIG)), marks))
                .isGreaterThan(ITEMS / 2);
    }

    @Test
    void modelsWithoutRoomForTheCircuitAreRefused() {
        for (GptConfig config : new GptConfig[] {
            new GptConfig(1, 6, 384, 256, 300, 0),
            new GptConfig(2, 2, 64, 256, 300, 0),
            Preset.named("gpt1-mini").config(),
            Preset.named("gpt3-mini").config()
        }) {
            assertThatThrownBy(() -> new InductionHeads(config))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("--induction-heads needs");
        }
    }
}
