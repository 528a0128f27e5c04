package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PagedCacheSizeTest {
    private static final long GIB = 1L << 30;
    private static final long STRIDE = 1024;
    /** Four blocks of a MiB in each of 32 arrays for a sequence. */
    private static final PagedCacheShape SHAPE = new PagedCacheShape(1024, 256, 32, TensorType.FLOAT16, 1 << 20);

    private static PagedCacheSize plan(int sequences, long cacheBytes, long prefixBytes, long free) {
        return PagedCacheSize.plan(
                SHAPE,
                new RunnerOptions(sequences, cacheBytes, 0, 0, prefixBytes),
                new CudaOptions(0, 1, true, 1024),
                new CudaRuntime.Memory(free, 80 * GIB),
                STRIDE);
    }

    @Test
    void wholeContextsOfAllSequencesFitWhereThereIsMemory() {
        assertThat(plan(64, 0, 0, 40 * GIB)).isEqualTo(new PagedCacheSize(64, 256, 0));
    }

    @Test
    void soManySequencesShareWhatThereIsWhereThereIsLess() {
        PagedCacheSize size = plan(512, 0, 0, 40 * GIB);
        assertThat(size.slots()).isEqualTo(512);
        assertThat(size.slotBlocks())
                .isBetween(1240, 1264); // 39.5 GiB less the logits of 1,024 rows, in blocks of 32 MiB
        assertThat(size.poolBlocks()).isZero();
    }

    @Test
    void halfOfWhatContextsLeaveIsForBeginningsThatAreShared() {
        PagedCacheSize size = plan(64, 0, RunnerOptions.AUTOMATIC, 40 * GIB);
        assertThat(size.slotBlocks()).isEqualTo(256);
        assertThat(size.poolBlocks()).isBetween(500, 505);
        assertThat(plan(64, 0, GIB, 40 * GIB).poolBlocks()).isEqualTo(32);
    }

    @Test
    void aQuarterIsForBeginningsThatAreSharedWhereContextsCouldFillAll() {
        PagedCacheSize size = plan(1024, 0, RunnerOptions.AUTOMATIC, 40 * GIB);
        assertThat(size.poolBlocks()).isEqualTo((size.slotBlocks() + size.poolBlocks()) / 4);
    }

    @Test
    void oneWholeContextFitsHoweverMuchIsWantedForBeginnings() {
        PagedCacheSize size = plan(64, 0, 100 * GIB, 40 * GIB);
        assertThat(size.slotBlocks()).isEqualTo(4);
        assertThat(size.poolBlocks()).isGreaterThan(1200);
        assertThat(plan(64, 128L << 20, RunnerOptions.AUTOMATIC, 40 * GIB)).isEqualTo(new PagedCacheSize(64, 4, 0));
    }

    @Test
    void aSettingBoundsTheCache() {
        assertThat(plan(64, GIB, 0, 40 * GIB).slotBlocks()).isEqualTo(32);
        assertThat(plan(64, GIB, 2 * GIB, 40 * GIB)).isEqualTo(new PagedCacheSize(64, 32, 64));
        assertThat(plan(64, GIB, RunnerOptions.AUTOMATIC, 40 * GIB)).isEqualTo(new PagedCacheSize(64, 24, 8));
    }

    @Test
    void theShareOfMemoryIsOfAllAndCountsWhatIsTaken() {
        RunnerOptions options = new RunnerOptions(1000, 0, 0, 0, 0);
        CudaRuntime.Memory memory = new CudaRuntime.Memory(50 * GIB, 80 * GIB);
        PagedCacheSize half = PagedCacheSize.plan(SHAPE, options, new CudaOptions(0, 0.5, true, 1024), memory, STRIDE);
        assertThat(half.slotBlocks()).isBetween(296, 304); // 40 - 30 - 0.5 GiB
    }

    @Test
    void whereNotOneFitsTheErrorSaysWhatToChange() {
        assertThatThrownBy(() -> plan(4, 0, 0, GIB / 2))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("134217728 bytes")
                .hasMessageContaining("gpu-memory-fraction")
                .hasMessageContaining("max-tokens lower");
    }
}
