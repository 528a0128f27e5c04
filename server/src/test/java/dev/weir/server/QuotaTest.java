package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.server.ApiKey.Limits;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class QuotaTest {
    private static final Limits LIMITS = new Limits(2, 1000, 3);

    @Test
    void requestsBeyondTheAllowanceAreRefusedInOpenAisWordsUntilTimeHasBroughtOne() {
        Quota quota = Quota.UNUSED.enter("alice", LIMITS, 0).enter("alice", LIMITS, 500);
        RetryLaterException refusal =
                catchThrowableOfType(RetryLaterException.class, () -> quota.enter("alice", LIMITS, 1000));
        assertThat(refusal)
                .hasMessage("Rate limit reached for alice on requests per min (RPM): Limit 2, Used 2, Requested 1."
                        + " Please try again in 29s.");
        assertThat(refusal.error().status()).isEqualTo(429);
        assertThat(refusal.error().type()).isEqualTo("requests");
        assertThat(refusal.error().code()).isEqualTo("rate_limit_exceeded");
        assertThat(refusal.retryAfterSeconds()).isEqualTo(29);
        assertThatThrownBy(() -> quota.enter("alice", LIMITS, 29_999)).isInstanceOf(RetryLaterException.class);
        assertThat(quota.enter("alice", LIMITS, 30_000).running()).isEqualTo(3);
    }

    @Test
    void requestsBesideTheAllowedOnesAreRefusedUntilOneEnds() {
        Limits one = new Limits(0, 0, 1);
        Quota quota = Quota.UNUSED.enter("alice", one, 0);
        assertThatThrownBy(() -> quota.enter("alice", one, 0))
                .isInstanceOf(RetryLaterException.class)
                .hasMessageContaining("on concurrent requests: Limit 1, Used 1");
        assertThat(quota.leave(0).enter("alice", one, 0).running()).isEqualTo(1);
    }

    @Test
    void tokensThatWereSetAsideAndNotUsedAreThereAgain() {
        Quota quota = Quota.UNUSED.enter("a", LIMITS, 0).reserve("a", LIMITS, 700, 0);
        RetryLaterException refusal =
                catchThrowableOfType(RetryLaterException.class, () -> quota.reserve("a", LIMITS, 400, 0));
        assertThat(refusal)
                .hasMessage("Rate limit reached for a on tokens per min (TPM): Limit 1000, Used 700, Requested 400."
                        + " Please try again in 6s.");
        assertThat(refusal.error().type()).isEqualTo("tokens");
        assertThat(quota.leave(100).reserve("a", LIMITS, 400, 0).tokens().remaining())
                .isZero();
    }

    @Test
    void requestLargerThanAMinutesWorthIsToldThatWaitingDoesNotHelp() {
        RetryLaterException refusal =
                catchThrowableOfType(RetryLaterException.class, () -> Quota.UNUSED.reserve("a", LIMITS, 1001, 0));
        assertThat(refusal).hasMessageStartingWith("Request too large for a on tokens per min (TPM): Limit 1000,");
        assertThat(refusal.retryAfterSeconds()).isZero();
    }

    @Test
    void headersTellWhatIsLeftOfWhatIsLimited() {
        Quota quota = Quota.UNUSED.enter("a", LIMITS, 0).reserve("a", LIMITS, 100, 0);
        assertThat(quota.headers(LIMITS, 1500))
                .isEqualTo(Map.of(
                        "x-ratelimit-limit-requests", "2",
                        "x-ratelimit-remaining-requests", "1",
                        "x-ratelimit-reset-requests", "28.5s",
                        "x-ratelimit-limit-tokens", "1000",
                        "x-ratelimit-remaining-tokens", "925",
                        "x-ratelimit-reset-tokens", "4.5s"));
        assertThat(quota.headers(new Limits(0, 0, 5), 0)).isEmpty();
    }

    @Test
    void limitThatIsLoweredOrRaisedHoldsFromThenOn() {
        Quota quota = Quota.UNUSED.enter("a", new Limits(100, 0, 0), 0);
        Limits low = new Limits(1, 0, 0);
        Quota last = quota.enter("a", low, 0);
        assertThatThrownBy(() -> last.enter("a", low, 0)).isInstanceOf(RetryLaterException.class);
        assertThat(last.enter("a", new Limits(6000, 0, 0), 10).requests().remaining())
                .isZero();
    }

    @ParameterizedTest
    @CsvSource({"0,0s", "1,1ms", "999,999ms", "1000,1s", "1500,1.5s", "20010,20.01s", "60000,1m0s", "61250,1m1.25s"})
    void timesAreWrittenAsOpenAiDoes(long millis, String written) {
        assertThat(Quota.duration(millis)).isEqualTo(written);
    }
}
