package dev.weir.train;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.DoubleStream;

/** Values over the steps of a run, made ready to be drawn. Immutable; any thread. */
record Curve(List<Point> points) {
    record Point(double step, double value) {}

    /**
     * The mean of each value and of up to so many on each side of it, as many before as after except at the end: it begins
     * where the curve begins, and does not lag behind.
     */
    Curve smoothed(int reach) {
        double[] sums = new double[points.size() + 1];
        for (int i = 0; i < points.size(); i++) {
            sums[i + 1] = sums[i] + points.get(i).value;
        }
        List<Point> smooth = new ArrayList<>();
        for (int i = 0; i < points.size(); i++) {
            int side = Math.min(reach, i);
            int end = Math.min(i + side + 1, points.size());
            smooth.add(new Point(points.get(i).step, (sums[end] - sums[i - side]) / (end - i + side)));
        }
        return new Curve(smooth);
    }

    /** The part from a step on. */
    Curve from(double step) {
        return new Curve(points.stream().filter(point -> point.step >= step).toList());
    }

    /** No more than so many points: each then stands for several neighbours, by their mean or their maximum, say. */
    Curve thinned(int most, Function<DoubleStream, OptionalDouble> summary) {
        if (points.size() <= most) {
            return this;
        }
        List<Point> few = new ArrayList<>();
        for (int i = 0; i < most; i++) {
            int from = (int) ((long) i * points.size() / most);
            int to = (int) ((i + 1L) * points.size() / most);
            DoubleStream values = points.subList(from, to).stream().mapToDouble(Point::value);
            few.add(new Point(points.get(to - 1).step, summary.apply(values).orElseThrow()));
        }
        return new Curve(few);
    }
}
