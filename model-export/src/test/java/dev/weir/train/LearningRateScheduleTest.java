package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {
    @Test
    void warmsUpLinearlyThenFallsAlongHalfACosine() {
        LearningRateSchedule schedule = new LearningRateSchedule(1.0, 0.2, 4, 13);
        // Steps 4 to 12 go from progress 0 to 1 in eighths; 0.6 is the middle between peak and floor.
        double[] expected = {
            0.25,
            0.5,
            0.75,
            1.0,
            1.0,
            0.6 + 0.4 * Math.cos(Math.PI / 8),
            0.6 + 0.4 * Math.sqrt(0.5),
            0.6 + 0.4 * Math.cos(3 * Math.PI / 8),
            0.6,
            0.6 - 0.4 * Math.cos(3 * Math.PI / 8),
            0.6 - 0.4 * Math.sqrt(0.5),
            0.6 - 0.4 * Math.cos(Math.PI / 8),
            0.2,
        };
        for (int step = 0; step < expected.length; step++) {
            assertThat(schedule.at(step)).as("step %d", step).isCloseTo(expected[step], within(1e-12));
        }
    }

    @Test
    void staysAtTheFloorAfterTheLastStep() {
        assertThat(new LearningRateSchedule(1.0, 0.1, 0, 10).at(25)).isEqualTo(0.1);
    }

    @Test
    void startsAtThePeakWithoutWarmUp() {
        assertThat(new LearningRateSchedule(1.0, 0.1, 0, 10).at(0)).isEqualTo(1.0);
    }

    @Test
    void aWarmUpLongerThanTheRunNeverReachesThePeak() {
        assertThat(new LearningRateSchedule(1.0, 0.1, 100, 10).at(9)).isEqualTo(0.1);
    }

    @Test
    void aFloorAboveThePeakIsRefused() {
        assertThatThrownBy(() -> new LearningRateSchedule(0.001, 0.01, 0, 10))
                .hasMessageContaining("minimum learning rate is 0.01");
    }
}
