package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokenBucketTest {
    /** An allowance of 6 a minute is one in ten seconds. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    per minute | in it | millis later | then in it | until 1 | until full
                             6 |     6 |            0 |          6 |       0 |          0
                             6 |     0 |            0 |          0 |   10000 |      60000
                             6 |     0 |         9999 |          0 |       1 |      50001
                             6 |     0 |        10000 |          1 |       0 |      50000
                             6 |     0 |        59999 |          5 |       0 |          1
                             6 |     0 |        60000 |          6 |       0 |          0
                             6 |     2 |       999999 |          6 |       0 |          0
                             6 |     2 |         -500 |          2 |       0 |      40000
                         60000 |     0 |            1 |          1 |       0 |      59999
                             7 |     0 |         8571 |          0 |       1 |      51429
                             7 |     0 |         8572 |          1 |       0 |      51428
                    2147483647 |     0 |        60000 | 2147483647 |       0 |          0
                    2147483647 |     0 |        30000 | 1073741823 |       0 |      30000
                    """, useHeadersInDisplayName = true)
    void bucketFillsByTheMillisecondUpToAMinutesWorth(
            int perMinute, int level, long later, int then, long untilOne, long untilFull) {
        TokenBucket bucket =
                new TokenBucket((long) level * TokenBucket.PARTS, 1_000_000).refill(perMinute, 1_000_000 + later);
        assertThat(bucket.remaining()).isEqualTo(then);
        assertThat(bucket.millisUntil(1, perMinute)).isEqualTo(untilOne);
        assertThat(bucket.millisUntil(perMinute, perMinute)).isEqualTo(untilFull);
    }

    @Test
    void manySmallStepsFillItAsOneLargeOneDoes() {
        TokenBucket steps = new TokenBucket(0, 0);
        for (int millis = 0; millis <= 34_567; millis += 11) {
            steps = steps.refill(7, millis);
        }
        assertThat(steps.refill(7, 34_567)).isEqualTo(new TokenBucket(0, 0).refill(7, 34_567));
    }

    @Test
    void newBucketIsFullAtAnyTimeAndUnderAnyAllowance() {
        for (long now : new long[] {-5_000_000_000_000L, 0, 5_000_000_000_000L}) {
            assertThat(TokenBucket.FULL.refill(10, now).remaining()).isEqualTo(10);
            assertThat(TokenBucket.FULL.refill(Integer.MAX_VALUE, now).remaining())
                    .isEqualTo(Integer.MAX_VALUE);
        }
    }

    @Test
    void whatIsGivenBackIsThereAgainButNeverMoreThanAMinutesWorth() {
        TokenBucket bucket = TokenBucket.FULL.refill(10, 0).take(8);
        assertThat(bucket.remaining()).isEqualTo(2);
        assertThat(bucket.give(5).refill(10, 0).remaining()).isEqualTo(7);
        assertThat(bucket.give(5).refill(10, 60_000).remaining()).isEqualTo(10);
    }
}
