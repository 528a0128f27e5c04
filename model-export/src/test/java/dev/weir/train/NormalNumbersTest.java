package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NormalNumbersTest {
    private static final int COUNT = 1_000_001;

    @Test
    void theFirstFourMomentsAreThoseOfTheNormalDistribution() {
        float[] values = numbers(1, COUNT);
        double[] moments = new double[5];
        for (float value : values) {
            for (int power = 1; power <= 4; power++) {
                moments[power] += Math.pow(value / 0.02, power) / COUNT;
            }
        }
        // Four deviations of such a mean or more
        assertThat(moments[1]).isCloseTo(0, within(0.004));
        assertThat(moments[2]).isCloseTo(1, within(0.006));
        assertThat(moments[3]).isCloseTo(0, within(0.016));
        assertThat(moments[4]).isCloseTo(3, within(0.04));
    }

    @Test
    void neighboursTellNothingOfEachOther() {
        float[] values = numbers(1, COUNT);
        for (int distance = 1; distance <= 4; distance++) {
            double product = 0;
            double size = 0;
            for (int i = distance; i < COUNT; i++) {
                product += values[i] / 0.02 * (values[i - distance] / 0.02) / COUNT;
                size += Math.abs(values[i] / 0.02) * Math.abs(values[i - distance] / 0.02) / COUNT;
            }
            assertThat(product).isCloseTo(0, within(0.004));
            assertThat(size).isCloseTo(2 / Math.PI, within(0.004));
        }
    }

    @Test
    void eachNumberDependsOnTheSeedAndItsPlaceAlone() throws Exception {
        float[] some = numbers(7, COUNT);
        assertThat(Arrays.copyOf(some, 99_999)).isEqualTo(numbers(7, 99_999));
        try (ForkJoinPool single = new ForkJoinPool(1)) {
            assertThat(single.submit(() -> numbers(7, COUNT)).get()).isEqualTo(some);
        }
        assertThat(numbers(8, COUNT)).isNotEqualTo(some);
    }

    /** From tables of the normal distribution, in the middle, in the tails and far out. */
    @ParameterizedTest
    @CsvSource({
        "0.5, 0",
        "0.6, 0.2533471031",
        "0.9, 1.2815515655",
        "0.925, 1.4395314709",
        "0.975, 1.9599639845",
        "0.999, 3.0902323062",
        "0.999999, 4.7534243088",
        "0.999999999999, 7.0344838253"
    })
    void quantilesAreThoseOfTheTables(double probability, double quantile) {
        assertThat(NormalNumbers.quantile(probability)).isCloseTo(quantile, within(2e-6 * Math.max(1, quantile)));
        // The exact difference from 1, of which the smallest has few digits left
        assertThat(NormalNumbers.quantile(1 - probability)).isCloseTo(-quantile, within(2e-5));
    }

    private static float[] numbers(long seed, int count) {
        float[] values = new float[count];
        NormalNumbers.fill(values, seed, 0.02);
        return values;
    }
}
