package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchedulingPolicyTest {
    @ParameterizedTest
    @CsvSource({"0,10,128,10", "0,128,128,128", "0,129,128,128", "128,129,128,1", "128,1000,128,128", "130,1000,128,126"
    })
    void chunksEndAtMultiplesOfTheChunkSizeOrThePromptsEnd(int start, int prompt, int chunk, int length) {
        assertThat(SchedulingPolicy.chunkLength(start, prompt, chunk)).isEqualTo(length);
    }

    @ParameterizedTest
    @CsvSource({
        "128,   0, 0, 8, true", // the first chunk always fits
        "128, -50, 0, 8, true",
        "128, 128, 1, 8, true",
        "128, 127, 1, 8, false",
        "  1, 500, 8, 8, false"
    })
    void furtherChunksFitWhileBudgetAndCountLast(int length, int left, int planned, int most, boolean fits) {
        assertThat(SchedulingPolicy.chunkFits(length, left, planned, most)).isEqualTo(fits);
    }

    @ParameterizedTest
    @CsvSource({
        "0,   0,  100, false",
        "1,   0,  100, true",
        "1,   64, 100, false",
        "2,   64, 100, true",
        "100, 64, 2,   false" // it will be gone before the copy has paid
    })
    void aMovePaysOnceIdleRowsHaveCostAsMuch(int idleRowSteps, int cached, int remaining, boolean pays) {
        assertThat(SchedulingPolicy.movePays(idleRowSteps, cached, remaining)).isEqualTo(pays);
    }

    @Test
    void retryAfterFollowsTheRateOfDepartures() {
        assertThat(SchedulingPolicy.retryAfterSeconds(9, 0)).isEqualTo(1);
        assertThat(SchedulingPolicy.retryAfterSeconds(9, 0.5e9)).isEqualTo(5);
        assertThat(SchedulingPolicy.retryAfterSeconds(10_000, 1e9)).isEqualTo(60);
    }
}
