package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class HalfFloatsTest {
    @ParameterizedTest
    @EnumSource(HalfFloats.class)
    void whatIsOneAlreadyStaysAsItIs(HalfFloats kind) {
        for (int bits = 0; bits < 1 << Short.SIZE; bits++) {
            float value = kind.widen((short) bits);
            if (Float.isNaN(value)) {
                assertThat(kind.widen(kind.narrow(value))).isNaN();
            } else {
                assertThat(kind.narrow(value)).isEqualTo((short) bits);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(HalfFloats.class)
    void theMiddleBetweenTwoBecomesTheEvenOneAndWhatIsBesideItTheNearest(HalfFloats kind) {
        for (int sign : new int[] {0, Short.MIN_VALUE}) {
            for (int bits = 0; Float.isFinite(kind.widen((short) (bits + 1))); bits++) {
                short low = (short) (sign + bits);
                short high = (short) (sign + bits + 1);
                // A float32 has bits enough for the middle of two.
                float middle = (float) (((double) kind.widen(low) + kind.widen(high)) / 2);
                float toLow = Math.nextAfter(middle, kind.widen(low));
                float toHigh = Math.nextAfter(middle, kind.widen(high));
                assertThat(kind.narrow(middle)).isEqualTo(low % 2 == 0 ? low : high);
                assertThat(kind.narrow(toLow)).isEqualTo(low);
                assertThat(kind.narrow(toHigh)).isEqualTo(high);
            }
        }
    }

    @Test
    void aBfloat16IsTheUpperHalfOfAFloat() {
        assertThat(HalfFloats.BF16.narrow(1)).isEqualTo((short) 0x3F80);
        assertThat(HalfFloats.BF16.narrow(-2.5f)).isEqualTo((short) 0xC020);
        assertThat(HalfFloats.BF16.narrow(Float.NEGATIVE_INFINITY)).isEqualTo((short) 0xFF80);
        assertThat(HalfFloats.BF16.widen((short) 0x4049)).isEqualTo(3.140625f);
    }

    @ParameterizedTest
    @EnumSource(HalfFloats.class)
    void bytesAreThoseOfTheRoundedNumbers(HalfFloats kind) {
        Random random = new Random(2);
        float[] values = new float[100_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        byte[] bytes = kind.bytes("w", values);
        float[] rounded = kind.round(values.clone());

        assertThat(bytes).hasSize(2 * values.length);
        for (int i = 0; i < values.length; i++) {
            short half = (short) ((bytes[2 * i] & 0xFF) | (bytes[2 * i + 1] << 8));
            assertThat(kind.widen(half)).isEqualTo(rounded[i]);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "FP16, 65520, and fp16 ends at 65504.0: choose fp32 or int8",
        "FP16, -1e9, or bf16",
        "FP16, NaN, which no precision holds",
        "BF16, 3.4e38, and bf16 ends at 3.3895314E38: choose fp32 or int8",
        "BF16, -Infinity, and bf16 ends at 3.3895314E38: choose fp32 or int8",
        "BF16, NaN, which no precision holds"
    })
    void whatHasNoPlaceIsRefused(HalfFloats kind, float value, String message) {
        assertThatThrownBy(() -> kind.bytes("h.0.w", new float[] {1, 65504, value}))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--precision is " + kind.label() + ", but \"h.0.w\" has a weight of " + value)
                .hasMessageContaining(message);
    }
}
