package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PrefixCacheSizeTest {
    private static final long MIB = 1L << 20;
    /** GPT-2 of 124M weights in float32. */
    private static final long TOKEN = 72 << 10;

    private static final long BLOCK = PrefixCacheSize.BLOCK_TOKENS * TOKEN;

    @Test
    void automaticTakesHalfOfWhatTheSlotsTakeUpToAnEighthOfTheRest() {
        assertThat(plan(RunnerOptions.AUTOMATIC, 400 * MIB, 4000 * MIB).blocks())
                .isEqualTo((int) (200 * MIB / BLOCK));
        assertThat(plan(RunnerOptions.AUTOMATIC, 2000 * MIB, 4000 * MIB).blocks())
                .isEqualTo((int) (250 * MIB / BLOCK));
        assertThat(plan(RunnerOptions.AUTOMATIC, 400 * MIB, 390 * MIB).blocks()).isZero();
    }

    @Test
    void aSettingIsNeverExceededAndZeroIsOff() {
        assertThat(plan(0, 400 * MIB, 4000 * MIB)).isEqualTo(new PrefixCacheSize(0, BLOCK));
        assertThat(plan(10 * BLOCK, 400 * MIB, 4000 * MIB).bytes()).isEqualTo(10 * BLOCK);
        assertThat(plan(11 * BLOCK - 1, 400 * MIB, 4000 * MIB).bytes()).isEqualTo(10 * BLOCK);
    }

    @Test
    void aContextNoLongerThanABlockHasNothingToKeep() {
        RunnerOptions options = new RunnerOptions(1, 0, 0, 1, 10 * BLOCK);
        assertThat(PrefixCacheSize.plan(TOKEN, PrefixCacheSize.BLOCK_TOKENS, options, MIB, 4000 * MIB)
                        .blocks())
                .isZero();
    }

    @Test
    void aSettingThatDoesNotFitNamesWhatWould() {
        assertThatThrownBy(() -> plan(1000 * MIB, 400 * MIB, 900 * MIB))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("prefix-cache-memory is " + 1000 * MIB)
                .hasMessageContaining("only " + 500 * MIB + " bytes (500 MiB) are left")
                .hasMessageContaining("set it to " + 500 * MIB + " or less");
        assertThatThrownBy(() -> plan(BLOCK - 1, 400 * MIB, 900 * MIB))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("one block of 16 tokens takes " + BLOCK);
        assertThatThrownBy(() -> new RunnerOptions(1, 0, 0, 1, -2)).hasMessageContaining("prefix-cache-memory is -2");
    }

    private static PrefixCacheSize plan(long setting, long slots, long available) {
        return PrefixCacheSize.plan(TOKEN, 1024, new RunnerOptions(64, 0, 0, 1, setting), slots, available);
    }
}
