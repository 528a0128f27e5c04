package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class KvCacheSizeTest {
    private static final long MIB = 1L << 20;
    private static final int MAX_TOKENS = 1024;
    private static final int ARRAYS = 24;
    /** GPT-2 of 124M weights in float32. */
    private static final long SLOT = 72 * MIB;

    @Test
    void automaticTakesWhatIsAskedForUpToHalfOfWhatIsLeft() {
        assertThat(plan(16, 0, 4000 * MIB)).isEqualTo(new KvCacheSize(16, 16, SLOT));
        KvCacheSize reduced = plan(64, 0, 4000 * MIB);
        assertThat(reduced).isEqualTo(new KvCacheSize(27, 64, SLOT));
        assertThat(reduced.isReduced()).isTrue();
        assertThat(reduced.bytes()).isEqualTo(27 * SLOT);
        assertThat(plan(1, 0, 144 * MIB).slots()).isEqualTo(1);
    }

    @Test
    void aSettingIsKeptAndBoundsTheSlots() {
        assertThat(plan(64, 10 * SLOT, 4000 * MIB).slots()).isEqualTo(10);
        assertThat(plan(64, 11 * SLOT - 1, 4000 * MIB).slots()).isEqualTo(10);
        assertThat(plan(4, 1000 * SLOT, 4000 * MIB).slots()).isEqualTo(4);
        // More than half of the memory is the user's own choice.
        assertThat(plan(64, 50 * SLOT, 3600 * MIB).slots()).isEqualTo(50);
    }

    @Test
    void aSettingBeyondTheMemoryNamesWhatWouldFit() {
        assertThatThrownBy(() -> plan(64, 64 * SLOT, 800 * MIB))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("kv-cache-bytes is " + 64 * SLOT)
                .hasMessageContaining("only " + 800 * MIB + " bytes (800 MiB) are left")
                .hasMessageContaining("set kv-cache-bytes to " + 11 * SLOT + " or less, or max-sequences to 11");
        assertThatThrownBy(() -> plan(1, SLOT, 36 * MIB)).hasMessageContaining("set max-tokens to 512 or less");
    }

    @Test
    void aSettingBelowOneSequenceNamesWhatWouldFit() {
        assertThatThrownBy(() -> plan(64, SLOT / 2, 4000 * MIB))
                .hasMessageContaining("kv-cache-bytes is " + SLOT / 2)
                .hasMessageContaining("one sequence of max-tokens 1024 takes " + SLOT)
                .hasMessageContaining("max-tokens to 512 or less");
        assertThatThrownBy(() -> plan(64, 0, SLOT)).hasMessageContaining("set max-tokens to 512 or less");
    }

    @Test
    void oneLayersCacheStaysBelowTwoGibibytes() {
        // 3 MiB per array and slot: 682 slots are 2046 MiB.
        assertThat(plan(1000, 0, 1L << 40).slots()).isEqualTo(0x7FFFFFFF / (3 << 20));
        RunnerOptions options = new RunnerOptions(1, 0, 0, 1);
        assertThatThrownBy(() -> KvCacheSize.plan(24L << 32, ARRAYS, options, 1 << 20, 1L << 50))
                .hasMessageContaining("max-tokens is 1048576")
                .hasMessageContaining("at most 524287 fit");
    }

    private static KvCacheSize plan(int sequences, long bytes, long available) {
        return KvCacheSize.plan(SLOT, ARRAYS, new RunnerOptions(sequences, bytes, 0, 1), MAX_TOKENS, available);
    }
}
