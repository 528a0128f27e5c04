package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LineChartTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    0       | 10      | 0 2 4 6 8 10
                    1       | 6       | 1 2 3 4 5 6
                    1.2     | 5.6     | 2 3 4 5
                    0       | 0.001   | 0.0000 0.0002 0.0004 0.0006 0.0008 0.0010
                    0       | 0.00003 | 0 1.0e-05 2.0e-05 3.0e-05
                    1       | 2000    | 500 1000 1500 2000
                    0       | 5000    | 0 1k 2k 3k 4k 5k
                    1500    | 52000   | 20k 40k
                    -1      | 1       | -1.0 -0.5 0.0 0.5 1.0
                    """)
    void ticksAreRoundNumbers(double least, double largest, String labels) {
        LineChart.Axis axis = LineChart.Axis.of(DoubleStream.of(least, largest).summaryStatistics(), 0, 0);
        assertThat(labels(axis)).isEqualTo(labels);
        assertThat(axis.share(least)).isZero();
        assertThat(axis.share(largest)).isEqualTo(1);
    }

    @Test
    void oneValueAloneHasAnAxisToo() {
        for (double value : new double[] {0, 3, -2, 1e-9}) {
            LineChart.Axis axis = LineChart.Axis.of(DoubleStream.of(value).summaryStatistics(), 0.1, 0);
            assertThat(axis.share(value)).isStrictlyBetween(0.0, 1.0);
            assertThat(labels(axis)).isNotEmpty();
        }
    }

    @Test
    void stepsHaveWholeTicks() {
        LineChart.Axis axis = LineChart.Axis.of(DoubleStream.of(1, 2).summaryStatistics(), 0, 1);
        assertThat(labels(axis)).isEqualTo("1 2");
    }

    private static String labels(LineChart.Axis axis) {
        return String.join(
                " ",
                LongStream.rangeClosed(axis.firstTick(), axis.lastTick())
                        .mapToObj(axis::label)
                        .toList());
    }

    @Test
    void smoothingTakesTheMeanOfBothSides() {
        double[] values = {9, 3, 3, 0, 3, 6, 9};
        Curve curve = new Curve(IntStream.range(0, values.length)
                .mapToObj(i -> new Curve.Point(i + 1, values[i]))
                .toList());
        assertThat(curve.smoothed(2).points().stream()
                        .mapToDouble(Curve.Point::value)
                        .toArray())
                .containsExactly(9, 5, 18 / 5.0, 3, 21 / 5.0, 18 / 4.0, 6);
        assertThat(curve.smoothed(2).points().getLast().step()).isEqualTo(7);
        assertThat(curve.smoothed(0)).isEqualTo(curve);
        assertThat(curve.from(6).points()).containsExactly(new Curve.Point(6, 6), new Curve.Point(7, 9));
    }

    @Test
    void aThinnedCurveKeepsItsEndAndItsSummary() {
        Curve curve = new Curve(IntStream.rangeClosed(1, 1000)
                .mapToObj(step -> new Curve.Point(step, step == 500 ? 77 : 1))
                .toList());
        List<Curve.Point> largest = curve.thinned(30, DoubleStream::max).points();
        assertThat(largest).hasSize(30).filteredOn(point -> point.value() == 77).hasSize(1);
        assertThat(largest.getLast().step()).isEqualTo(1000);
        double sum = curve.thinned(10, DoubleStream::average).points().stream()
                .mapToDouble(Curve.Point::value)
                .sum();
        assertThat(sum).isEqualTo(10 + 76.0 / 100);
        assertThat(curve.thinned(1000, DoubleStream::max)).isSameAs(curve);
    }
}
