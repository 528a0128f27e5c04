package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class Row8Test {
    @Test
    void eachColumnIsRoundedToItsOwnHundredAndTwentySeventh() {
        float[] weights = {1, -100, 0, 0.5f, 50, 0}; // [2, 3]

        Row8 row8 = Row8.perColumn(weights, 2, 3);

        assertThat(row8.values()).containsExactly(127, -127, 0, 64, 64, 0);
        assertThat(row8.scales()).containsExactly(1f / 127, 100f / 127, 1f);
    }

    @Test
    void eachRowIsRoundedToItsOwnHundredAndTwentySeventh() {
        float[] weights = {1, -100, 0, 0, 0.25f, -0.5f}; // [3, 2]

        Row8 row8 = Row8.perRow(weights, 3, 2);

        assertThat(row8.values()).containsExactly(1, -127, 0, 0, 64, -127);
        assertThat(row8.scales()).containsExactly(100f / 127, 1f, 0.5f / 127);
    }

    @Test
    void noWeightMovesByMoreThanHalfAStep() {
        Random random = new Random(1);
        float[] weights = new float[40 * 7];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }

        Row8 row8 = Row8.perColumn(weights, 40, 7);

        for (int i = 0; i < weights.length; i++) {
            float scale = row8.scales()[i % 7];
            assertThat(row8.values()[i] * scale).isCloseTo(weights[i], within(scale * 0.5001f));
        }
    }
}
