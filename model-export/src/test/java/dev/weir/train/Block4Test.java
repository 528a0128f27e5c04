package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Block4Test {
    @Test
    void valuesLieInPairsWithTheEarlierOneInTheLowerHalf() {
        float[] weights = new float[32];
        weights[0] = -8;
        weights[1] = 7;
        weights[2] = 1;
        weights[31] = -3;

        Block4 row = Block4.perRow(weights, 1, 32);

        assertThat(row.scales()).containsExactly(1f);
        byte[] expected = new byte[16];
        Arrays.fill(expected, (byte) 0x88); // zeros
        expected[0] = (byte) 0xF0; // -8, then 7
        expected[1] = (byte) 0x89; // 1, then 0
        expected[15] = (byte) 0x58; // 0, then -3
        assertThat(row.values()).containsExactly(expected);
        assertThat(row.rows(1, 32)).containsExactly(weights);
    }

    @Test
    void anOutputsInputsAreAColumnOfALayerAndARowOfATable() {
        float[] weights = noise(40 * 6);
        float[] transposed = new float[weights.length];
        for (int i = 0; i < weights.length; i++) {
            transposed[i % 6 * 40 + i / 6] = weights[i];
        }

        Block4 columns = Block4.perColumn(weights, 40, 6);
        Block4 rows = Block4.perRow(transposed, 6, 40);

        assertThat(columns.values()).containsExactly(rows.values());
        assertThat(columns.scales()).containsExactly(rows.scales());
        assertThat(columns.values()).hasSize(6 * 2 * 16);
        float[] said = rows.rows(6, 40);
        float[] same = columns.columns(40, 6);
        for (int i = 0; i < weights.length; i++) {
            assertThat(same[i]).isEqualTo(said[i % 6 * 40 + i / 6]);
        }
    }

    @Test
    void whatFillsTheLastBlockIsZeroAndChangesNothing() {
        float[] weights = noise(40);

        Block4 row = Block4.perRow(weights, 1, 40);

        byte[] filling = Arrays.copyOfRange(row.values(), 16 + 4, 32);
        assertThat(filling).containsOnly((byte) 0x88);
        assertThat(Arrays.copyOf(row.rows(1, 40), 32))
                .containsExactly(
                        Block4.perRow(Arrays.copyOf(weights, 32), 1, 32).rows(1, 32));
        assertThat(Block4.bytes(40, 3)).isEqualTo(3 * 2 * (16 + 4));
    }

    @Test
    void roundingTwiceIsRoundingOnce() {
        float[] once = Block4.perRow(noise(64 * 20), 20, 64).rows(20, 64);

        float[] twice = Block4.perRow(once, 20, 64).rows(20, 64);

        for (int i = 0; i < once.length; i++) {
            assertThat(twice[i]).isCloseTo(once[i], within(1e-6f));
        }
    }

    @Test
    void theErrorIsSmallerThanUnderTheScaleThatJustHoldsTheLargestWeight() {
        float[] weights = noise(32 * 500);

        float[] rounded = Block4.perRow(weights, 500, 32).rows(500, 32);

        double error = 0;
        double plainError = 0;
        for (int block = 0; block < 500; block++) {
            float largest = 0;
            for (int i = 32 * block; i < 32 * block + 32; i++) {
                largest = Math.abs(weights[i]) > Math.abs(largest) ? weights[i] : largest;
            }
            float scale = largest / -8;
            for (int i = 32 * block; i < 32 * block + 32; i++) {
                double plain = scale * Math.clamp(Math.round(weights[i] / scale), -8, 7);
                plainError += Math.pow(weights[i] - plain, 2);
                error += Math.pow(weights[i] - rounded[i], 2);
            }
        }
        assertThat(error).isLessThan(0.9 * plainError);
    }

    @Test
    void aBlockOfZerosStaysZeroAndAnotherShapeIsRefused() {
        assertThat(Block4.perRow(new float[32], 1, 32).rows(1, 32)).containsOnly(0f);
        assertThatThrownBy(() -> Block4.perRow(new float[31], 1, 32)).hasMessageContaining("31 weights");
    }

    private static float[] noise(int count) {
        Random random = new Random(3);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
