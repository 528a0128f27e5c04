package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TokenTimesTest {
    @Test
    void latenciesAreTheFirstArrivalAndTheGapsOfEachSequence() {
        TokenTimes times = new TokenTimes(3, Duration.ofMillis(500), new long[][] {{10, 30, 35}, {20, 21}});

        assertThat(times.firstTokens().toArray()).containsExactly(10, 20);
        assertThat(times.gaps().toArray()).containsExactly(20, 5, 1);
        assertThat(times.tokensPerSecond())
                .as("tokens asked for, seen apart or not")
                .isCloseTo(12, within(1e-9));
    }

    @Test
    void aClockRefusesMoreTokensThanWereAskedForAndSequencesWithout() {
        TokenClock clock = new TokenClock(2, 1);
        clock.arrived(1);
        assertThatThrownBy(() -> clock.arrived(1)).hasMessageContaining("sequence 1 has more than the 1 tokens");
        assertThatThrownBy(clock::stop).hasMessageContaining("sequence 0 has no token");
        clock.arrived(0);
        assertThat(clock.stop().sequences()).isEqualTo(2);
    }
}
