package dev.weir.loadtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class OpenLoadTest {

    @Test
    void arrivalsComeAtTheRateWithoutARamp() {
        assertThat(OpenLoad.arrivalSeconds(10, 5, 0)).isCloseTo(2, within(1e-12));
    }

    @Test
    void duringARampTheRateGrowsLinearly() {
        // 10/s after a ramp of 4 s: 20 arrivals in the ramp, a quarter of them in its first half, then 10 a second.
        assertThat(OpenLoad.arrivalSeconds(5, 10, 4)).isCloseTo(2, within(1e-12));
        assertThat(OpenLoad.arrivalSeconds(20, 10, 4)).isCloseTo(4, within(1e-12));
        assertThat(OpenLoad.arrivalSeconds(30, 10, 4)).isCloseTo(5, within(1e-12));
    }

    @Test
    void senselessRatesAreRefused() {
        assertThatThrownBy(() -> new OpenLoad(0, 1, Duration.ZERO, 1)).hasMessageContaining("--rate");
        assertThatThrownBy(() -> new OpenLoad(Double.NaN, 1, Duration.ZERO, 1)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> new OpenLoad(1, 0, Duration.ZERO, 1)).hasMessageContaining("--max-in-flight");
        assertThatThrownBy(() -> new ClosedLoad(0, Duration.ZERO)).hasMessageContaining("--sessions");
    }

    @Test
    void loadsDescribeThemselves() {
        assertThat(new OpenLoad(2.5, 9, Duration.ZERO, 1).describe())
                .isEqualTo("open load of 2.5 requests/s (Poisson arrivals, at most 9 in flight)");
        assertThat(new ClosedLoad(1, Duration.ZERO).describe()).isEqualTo("closed load of 1 session");
    }
}
