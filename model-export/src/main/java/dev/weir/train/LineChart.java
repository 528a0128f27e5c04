package dev.weir.train;

import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Lines over the steps of a run as a drawing in a page, of a shape that a telephone shows readably. Immutable; any thread.
 *
 * @param unit what the values count
 */
record LineChart(String title, String unit, List<Line> lines) {
    private static final int WIDTH = 440;
    private static final int HEIGHT = 220;
    private static final int LEFT = 58;
    private static final int RIGHT = 20;
    private static final int TOP = 10;
    private static final int BOTTOM = 26;

    /**
     * A line.
     *
     * @param style its class in the page's style
     * @param isMarked whether each point has a dot that tells its value
     */
    record Line(String name, String style, Curve curve, boolean isMarked) {}

    /** The part of an axis that is shown, with a tick at each multiple of {@code tick}. */
    record Axis(double low, double high, double tick) {
        private static final int TICKS = 5;

        /** What dividing may be off by. */
        private static final double SLACK = 1e-9;

        /** An axis for some values; {@code smallest} is the least distance of two ticks. */
        static Axis of(DoubleSummaryStatistics values, double margin, double smallest) {
            double range = values.getMax() - values.getMin();
            double room = range > 0 ? range * margin : Math.max(smallest, Math.abs(values.getMax()) * 0.1);
            double low = values.getMin() - room;
            double high = values.getMax() + room;
            if (!(high > low)) {
                return new Axis(low - 1, high + 1, 1);
            }
            double rough = (high - low) / TICKS;
            double power = Math.pow(10, Math.floor(Math.log10(rough)));
            double lead = rough / power;
            double tick = power * (lead <= 1 + SLACK ? 1 : lead <= 2 + SLACK ? 2 : lead <= 5 + SLACK ? 5 : 10);
            return new Axis(low, high, Math.max(tick, smallest));
        }

        /** Where a value lies, from 0 to 1. */
        double share(double value) {
            return (value - low) / (high - low);
        }

        long firstTick() {
            return (long) Math.ceil(low / tick - SLACK);
        }

        long lastTick() {
            return (long) Math.floor(high / tick + SLACK);
        }

        String label(long index) {
            double value = index * tick;
            if (tick >= 1000) {
                return index == 0 ? "0" : number(value / 1000, tick / 1000) + "k";
            }
            if (tick < 1e-4) {
                return index == 0 ? "0" : String.format(Locale.ROOT, "%.1e", value);
            }
            return number(value, tick);
        }

        private static String number(double value, double tick) {
            int decimals = (int) Math.max(0, -Math.floor(Math.log10(tick) + SLACK));
            return String.format(Locale.ROOT, "%." + decimals + "f", value);
        }
    }

    void writeTo(Markup page) {
        page.open("figure").open("figcaption").leaf("strong", title).text(" " + unit + " ");
        for (Line line : lines) {
            page.leaf("span", line.name, "class", "key " + line.style);
        }
        page.close();
        List<Curve.Point> all = lines.stream()
                .flatMap(line -> line.curve.points().stream())
                .filter(point -> Double.isFinite(point.value()))
                .toList();
        if (all.isEmpty()) {
            page.leaf("p", "nothing yet");
        } else {
            draw(page, all);
        }
        page.close();
    }

    private void draw(Markup page, List<Curve.Point> all) {
        Axis steps = Axis.of(all.stream().mapToDouble(Curve.Point::step).summaryStatistics(), 0, 1);
        Axis values = Axis.of(all.stream().mapToDouble(Curve.Point::value).summaryStatistics(), 0.04, 0);
        String names = lines.stream().map(Line::name).collect(Collectors.joining(" and "));
        page.open(
                "svg",
                "xmlns",
                "http://www.w3.org/2000/svg",
                "viewBox",
                "0 0 " + WIDTH + " " + HEIGHT,
                "role",
                "img",
                "aria-label",
                title + " over steps: " + names);
        for (long tick = values.firstTick(); tick <= values.lastTick(); tick++) {
            String y = y(values, tick * values.tick);
            page.empty("line", "class", "grid", "x1", str(LEFT), "x2", str(WIDTH - RIGHT), "y1", y, "y2", y);
            page.leaf("text", values.label(tick), "class", "value", "x", str(LEFT - 6), "y", y);
        }
        for (long tick = steps.firstTick(); tick <= steps.lastTick(); tick++) {
            page.leaf(
                    "text", steps.label(tick), "class", "step", "x", x(steps, tick * steps.tick), "y", str(HEIGHT - 8));
        }
        for (Line line : lines) {
            String places = line.curve.points().stream()
                    .filter(point -> Double.isFinite(point.value()))
                    .map(point -> x(steps, point.step()) + "," + y(values, point.value()))
                    .collect(Collectors.joining(" "));
            page.empty("polyline", "class", line.style, "points", places);
            for (Curve.Point point : line.isMarked ? line.curve.points() : List.<Curve.Point>of()) {
                page.open(
                                "circle",
                                "class",
                                line.style,
                                "cx",
                                x(steps, point.step()),
                                "cy",
                                y(values, point.value()),
                                "r",
                                "3")
                        .leaf("title", String.format(Locale.ROOT, "step %.0f: %.4f", point.step(), point.value()))
                        .close();
            }
        }
        page.close();
    }

    private static String x(Axis axis, double value) {
        return String.format(Locale.ROOT, "%.1f", LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT));
    }

    private static String y(Axis axis, double value) {
        return String.format(Locale.ROOT, "%.1f", HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM));
    }

    private static String str(int number) {
        return String.valueOf(number);
    }
}
