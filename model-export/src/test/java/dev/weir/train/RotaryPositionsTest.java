package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class RotaryPositionsTest {
    private static final RotaryPositions LLAMA3 = new RotaryPositions(500_000, 32, 1, 4, 8192);
    private static final int HEAD_SIZE = 64;

    @Test
    void highFrequenciesAreKeptLowOnesDividedAndThoseBetweenInBetween() {
        double before = Double.POSITIVE_INFINITY;
        for (int pair = 0; pair < HEAD_SIZE / 2; pair++) {
            double plain = Math.pow(500_000, -pair / 32.0);
            double wavelength = 2 * Math.PI / plain;
            double frequency = LLAMA3.frequency(pair, HEAD_SIZE);
            if (wavelength < 8192 / 4.0) {
                assertThat(frequency).isCloseTo(plain, Percentage.withPercentage(1e-9));
            } else if (wavelength > 8192) {
                assertThat(frequency).isCloseTo(plain / 32, Percentage.withPercentage(1e-9));
            } else {
                assertThat(frequency).isStrictlyBetween(plain / 32, plain);
            }
            assertThat(frequency).isLessThan(before);
            before = frequency;
        }
    }

    @Test
    void aFactorOfOneChangesNothing() {
        RotaryPositions plain = new RotaryPositions(10_000, 1, 1, 4, 8192);
        for (int pair = 0; pair < HEAD_SIZE / 2; pair++) {
            assertThat(plain.frequency(pair, HEAD_SIZE))
                    .isCloseTo(Math.pow(10_000, -pair / 32.0), Percentage.withPercentage(1e-9));
        }
    }

    @Test
    void tablesHaveARowForEachPosition() {
        float[] cosines = LLAMA3.cosines(100, HEAD_SIZE);
        float[] sines = LLAMA3.sines(100, HEAD_SIZE);
        assertThat(cosines).hasSize(100 * 32);
        assertThat(cosines[0]).isEqualTo(1);
        assertThat(sines[0]).isZero();
        // The first pair turns by a radian a token.
        assertThat(cosines[99 * 32]).isCloseTo((float) Math.cos(99), within(1e-6f));
        assertThat(sines[99 * 32]).isCloseTo((float) Math.sin(99), within(1e-6f));
        assertThat(sines[99 * 32 + 31])
                .isCloseTo((float) Math.sin(99 * LLAMA3.frequency(31, HEAD_SIZE)), within(1e-6f));
    }
}
