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
        "0, 900, 128, 500, 128",
        "0, 900, 128, 44, 40",
        "32, 900, 128, 44, 40",
        "0, 900, 128, 3, 8", // it always goes on
        "0, 17, 128, 16, 17", // no single token is left
        "0, 18, 128, 16, 16",
        "4, 900, 128, 16, 12", // up to a multiple
        "896, 897, 128, 16, 1" // the chunk itself
    })
    void piecesEndAtMultiplesOfEightAndLeaveNoSingleToken(int start, int prompt, int chunk, int most, int length) {
        assertThat(SchedulingPolicy.pieceLength(start, prompt, chunk, most)).isEqualTo(length);
    }

    @ParameterizedTest
    @CsvSource({"1, 17, 1.3", "2, 8, 1.3", "3, 8, 2.6", "4, 8, Infinity", "0, 0, 1.3"})
    void aStepIsStretchedLittleUnlessHalfOfAllDoNotDecode(int prefilling, int running, double stretch) {
        assertThat(SchedulingPolicy.stretch(prefilling, running)).isEqualTo(stretch);
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
    @CsvSource({"64, 16, 3, 48", "40, 16, 3, 40", "8, 16, 3, 16"})
    void aStepComputesAtLeastOneChunk(int budget, int chunk, int chunks, int most) {
        assertThat(SchedulingPolicy.mostPrefillTokens(budget, chunk, chunks)).isEqualTo(most);
    }

    @ParameterizedTest
    @CsvSource({"0, 48, 1, 1", "1, 48, 1, 1", "48, 48, 5, 5", "49, 48, 1, 2", "100, 48, 10, 12"})
    void theStepThatEndsThePromptGivesATokenToo(int prefill, int most, int tokens, int steps) {
        assertThat(SchedulingPolicy.leastSteps(prefill, most, tokens)).isEqualTo(steps);
    }

    @ParameterizedTest
    @CsvSource({
        "1000, 10, 100, true",
        "999,  10, 100, false",
        "1,    1,  0,   true", // no step was measured yet
        "0,    0,  100, false"
    })
    void whatIsLeftFitsIfEachStepIsAsShortAsTheShortest(long left, int steps, long shortest, boolean fits) {
        assertThat(SchedulingPolicy.canFinish(left, steps, shortest)).isEqualTo(fits);
    }

    @ParameterizedTest
    @CsvSource({"0, 500, 500", "500, 400, 400", "640, 2000, 651"})
    void aStepThatWasShorterThanAllSinceIsForgottenByAndBy(long shortest, long latest, long now) {
        assertThat(SchedulingPolicy.shortestStep(shortest, latest)).isEqualTo(now);
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

    @ParameterizedTest
    @CsvSource({
        "63, 64, 64, 63, 1, true", // nobody else asks
        "59, 64, 64, 59, 2, true",
        "60, 64, 64, 60, 2, false",
        "60, 64, 64, 32, 2, false",
        "60, 64, 64, 31, 2, true",
        "63, 64, 64, 0, 100, true",
        "63, 64, 64, 1, 100, false",
        "14, 15, 15, 14, 2, true", // too few to keep any
        "127, 128, 64, 127, 1, true",
        "59, 128, 64, 59, 3, true",
        "60, 128, 64, 60, 3, false", // the rest would make steps long
        "63, 128, 64, 63, 2, true", // but is within its share
        "64, 128, 64, 64, 2, false"
    })
    void theLastSlotsAreForTenantsThatHoldLessThanTheirShare(
            int used, int slots, int quick, int held, int tenants, boolean may) {
        assertThat(SchedulingPolicy.mayTakeSlot(used, slots, quick, held, tenants))
                .isEqualTo(may);
    }

    @ParameterizedTest(name = "{0} slots, {1} ns a row")
    @CsvSource({
        "128, 0, 128", // not known
        "128, 390000, 128",
        "128, 500000, 100",
        "128, 1000000, 64",
        "128, 9000000000, 64", // a batch is worth its time
        "16, 9000000000, 16"
    })
    void slotsAreQuickWhoseRowsTakeUpToFiftyMilliseconds(int slots, double nanosPerRow, int quick) {
        assertThat(SchedulingPolicy.quickSlots(slots, nanosPerRow)).isEqualTo(quick);
    }

    @ParameterizedTest(name = "{0} of {1} slots, {2} tenants")
    @CsvSource({"64, 64, 1, false", "32, 64, 2, false", "33, 64, 2, true", "1, 64, 100, false", "2, 64, 100, true"})
    void whoHoldsMoreThanItsShareFloods(int most, int slots, int tenants, boolean isFlooded) {
        assertThat(SchedulingPolicy.isFlooded(most, slots, tenants)).isEqualTo(isFlooded);
    }

    @ParameterizedTest(name = "after {0} of {1} ns, of which {2} may be lost")
    @CsvSource({
        "0, 0, 500, false",
        "0, 400, 500, true",
        "299, 400, 500, true",
        "300, 400, 500, false",
        "299, 400, 299, true",
        "299, 400, 298, false",
        "0, 400, -1, false"
    })
    void rowsAreGivenUpInTheirFirstThreeQuarters(long nanos, long nanosOfAll, long mayLose, boolean may) {
        assertThat(SchedulingPolicy.mayInterrupt(nanos, nanosOfAll, mayLose)).isEqualTo(may);
    }

    @ParameterizedTest(name = "{0} and {1} ns, lost: {2}")
    @CsvSource({
        "500000000, 40000000, false, 500000000",
        "499000000, 40000000, false, 500000000",
        "100000000, 40000000, false, 102000000",
        "500000000, 20000000, true, 480000000"
    })
    void aTwentiethOfTheTimeMayBeLost(long mayLose, long nanos, boolean isLost, long after) {
        assertThat(SchedulingPolicy.mayLose(mayLose, nanos, isLost)).isEqualTo(after);
    }
}
