package dev.weir.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/**
 * A run on one page, {@code report.html}: how the losses went, what it is made of, what it wrote on the way. The page needs
 * nothing but itself, no script and no other file. Immutable; any thread.
 *
 * @param card command, data and settings
 * @param blocks what is trained on
 */
record TrainingReport(TrainingCard card, BlockSource blocks, PretrainConfig config) {
    static final String FILE = "report.html";

    /** As many as a screen has room for. */
    private static final int MOST_POINTS = 400;

    /** Steps from which the second half of a run is shown for itself. */
    private static final int LONG_RUN = 200;

    private static final int MOST_MARKS = 100;
    private static final int MOST_SAMPLES = 40;
    private static final int OPEN_SAMPLES = 3;

    /** Without any of the characters that are escaped in text, since a style's text is not. */
    private static final String STYLE = """

            :root { color-scheme: light dark; --page: #fff; --ink: #1c2024; --dim: #5f656d; --rule: #dcdfe4;
              --one: #1d5fd1; --two: #b8470b; }
            @media (prefers-color-scheme: dark) { :root { --page: #14171a; --ink: #e6e8eb; --dim: #9ba1a9;
              --rule: #343a41; --one: #7fb0ff; --two: #ffa15c; } }
            * { box-sizing: border-box; }
            body { margin: 0 auto; padding: 1rem; max-width: 64rem; background: var(--page); color: var(--ink);
              font: 16px/1.45 system-ui, sans-serif; }
            h1 { font-size: 1.4rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
            h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
            figure { margin: 0; }
            figcaption { color: var(--dim); font-size: 0.9rem; }
            figcaption strong { color: var(--ink); }
            svg { display: block; width: 100%; height: auto; }
            svg text { fill: var(--dim); font: 12px system-ui, sans-serif; }
            svg .value { text-anchor: end; dominant-baseline: middle; }
            svg .step { text-anchor: middle; }
            svg .grid { stroke: var(--rule); }
            polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
            polyline.one { stroke: var(--one); }
            polyline.two { stroke: var(--two); }
            polyline.faint { stroke: var(--one); stroke-width: 1; opacity: 0.35; }
            circle.two { fill: var(--two); }
            .key { white-space: nowrap; margin-left: 0.6rem; }
            .key::before { content: ""; display: inline-block; width: 1rem; height: 0.2rem; margin-right: 0.3rem;
              vertical-align: middle; background: var(--one); }
            .key.two::before { background: var(--two); }
            .key.faint::before { opacity: 0.35; }
            .charts { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
            .facts { display: grid; gap: 0.3rem 1rem; margin: 0;
              grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
            .facts div { border-top: 1px solid var(--rule); padding-top: 0.2rem; }
            dt { color: var(--dim); font-size: 0.85rem; }
            dd { margin: 0; overflow-wrap: anywhere; }
            .wide { overflow-x: auto; }
            table { border-collapse: collapse; font-size: 0.9rem; }
            th, td { text-align: right; padding: 0.2rem 0.8rem 0.2rem 0; border-top: 1px solid var(--rule); }
            th:first-child, td:first-child { text-align: left; }
            .text { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid var(--rule);
              padding-left: 0.8rem; margin: 0.3rem 0 1rem; font-size: 0.95rem; }
            .dim { color: var(--dim); font-size: 0.9rem; overflow-wrap: anywhere; }
            summary { cursor: pointer; }
            """;

    /**
     * Writes the page into a run's folder, whole or not at all.
     *
     * @param samples what the best weights wrote at the end; empty before that
     */
    void write(Path folder, RunMetrics metrics, TrainingState.Progress progress, String samples) throws IOException {
        String run = String.valueOf(folder.toAbsolutePath().normalize().getFileName());
        AtomicFile.writeString(folder.resolve(FILE), page(run, metrics, progress, samples));
    }

    private String page(String run, RunMetrics metrics, TrainingState.Progress progress, String samples) {
        Markup page = new Markup();
        page.open("html", "xmlns", "http://www.w3.org/1999/xhtml", "lang", "en");
        page.open("head").empty("meta", "charset", "utf-8");
        page.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
        page.empty(
                "meta",
                "http-equiv",
                "Content-Security-Policy",
                "content",
                "default-src 'none'; style-src 'unsafe-inline'");
        page.leaf("title", "Training of " + run).leaf("style", STYLE).close();
        page.open("body").leaf("h1", "Training of " + run);
        facts(page, metrics, progress);
        page.leaf("h2", "Curves").open("div", "class", "charts");
        charts(metrics).forEach(chart -> chart.writeTo(page));
        page.close();
        samples(page, metrics.looks(), samples);
        validations(page, metrics);
        data(page, progress);
        page.leaf("h2", "Settings").open("dl", "class", "facts");
        card.settings().forEach((name, value) -> fact(page, name, value));
        page.close();
        page.leaf("h2", "Command").leaf("div", card.command(), "class", "text");
        return page.close().close().toString();
    }

    private void facts(Markup page, RunMetrics metrics, TrainingState.Progress progress) {
        page.open("dl", "class", "facts");
        fact(page, "step", whole(progress.step()) + " of " + whole(config.steps()));
        fact(page, "tokens seen", whole(Math.round(progress.step() * blocks.tokensPerStep(config))));
        fact(page, "time training", RunFolder.clock(progress.seconds()));
        Optional<RunMetrics.Look> best = metrics.looks().stream()
                .filter(look -> look.step() == progress.bestStep())
                .findFirst();
        best.ifPresent(look -> {
            fact(page, "best validation", loss(look.validationLoss()) + " nats per token, step " + whole(look.step()));
            fact(page, "best, by bytes", loss(look.bitsPerByte()) + " bits per byte");
        });
        fact(page, "weights", whole(config.model().parameters()));
        page.close();
    }

    private static void fact(Markup page, String name, String value) {
        page.open("div").leaf("dt", name).leaf("dd", value).close();
    }

    private List<LineChart> charts(RunMetrics metrics) {
        List<RunMetrics.Step> steps = metrics.steps();
        int reach = Math.clamp(steps.size() / 100, 1, 500);
        Curve loss = curve(steps, RunMetrics.Step::loss);
        Curve norm = curve(steps, RunMetrics.Step::gradientNorm);
        Curve seconds = curve(steps, RunMetrics.Step::seconds).smoothed(reach);
        Curve speed = new Curve(seconds.points().stream()
                .map(point -> new Curve.Point(point.step(), blocks.tokensPerStep(config) / point.value()))
                .toList());
        Curve validation = new Curve(spread(metrics.looks(), MOST_MARKS).stream()
                .map(look -> new Curve.Point(look.step(), look.validationLoss()))
                .toList());
        List<LineChart> charts = new ArrayList<>();
        charts.add(losses("Loss", loss, loss.smoothed(reach), validation));
        if (steps.size() >= LONG_RUN) {
            // Next to the first steps, which are far from the others, these would all look the same.
            int half = steps.get(steps.size() / 2).step();
            charts.add(losses(
                    "Loss from step " + whole(half),
                    loss.from(half),
                    loss.smoothed(reach).from(half),
                    validation.from(half)));
        }
        charts.addAll(List.of(
                new LineChart(
                        "Learning rate",
                        "",
                        List.of(line("of each step", "one", curve(steps, RunMetrics.Step::learningRate)))),
                new LineChart(
                        "Gradient norm",
                        "before clipping at " + config.clip(),
                        List.of(
                                new LineChart.Line(
                                        "largest", "faint", norm.thinned(MOST_POINTS, DoubleStream::max), false),
                                line("mean", "one", norm.smoothed(reach)))),
                new LineChart("Speed", "tokens per second", List.of(line("mean", "one", speed)))));
        return charts;
    }

    private static LineChart losses(String title, Curve loss, Curve smooth, Curve validation) {
        return new LineChart(
                title,
                "nats per token",
                List.of(
                        line("each step", "faint", loss),
                        line("training", "one", smooth),
                        new LineChart.Line("validation", "two", validation, true)));
    }

    private static Curve curve(List<RunMetrics.Step> steps, ToDoubleFunction<RunMetrics.Step> value) {
        return new Curve(steps.stream()
                .map(step -> new Curve.Point(step.step(), value.applyAsDouble(step)))
                .toList());
    }

    private static LineChart.Line line(String name, String style, Curve curve) {
        return new LineChart.Line(name, style, curve.thinned(MOST_POINTS, DoubleStream::average), false);
    }

    private static void samples(Markup page, List<RunMetrics.Look> looks, String samples) {
        List<RunMetrics.Look> written =
                spread(looks.stream().filter(look -> !look.sample().isEmpty()).toList(), MOST_SAMPLES);
        if (written.isEmpty() && samples.isEmpty()) {
            return;
        }
        page.leaf("h2", "What it wrote");
        if (!samples.isEmpty()) {
            page.leaf("div", "the best weights, at the end", "class", "dim");
            page.leaf("div", samples, "class", "text", "dir", "auto");
        }
        List<RunMetrics.Look> newest = written.reversed();
        newest.stream().limit(OPEN_SAMPLES).forEach(look -> sample(page, look));
        if (newest.size() > OPEN_SAMPLES) {
            page.open("details").leaf("summary", "earlier");
            newest.stream().skip(OPEN_SAMPLES).forEach(look -> sample(page, look));
            page.close();
        }
    }

    private static void sample(Markup page, RunMetrics.Look look) {
        String when = "step " + whole(look.step()) + ", validation loss " + loss(look.validationLoss());
        page.leaf("div", when, "class", "dim");
        page.leaf("div", look.sample().strip(), "class", "text", "dir", "auto");
    }

    private void validations(Markup page, RunMetrics metrics) {
        List<RunMetrics.Look> looks = metrics.looks();
        page.leaf("h2", "Validations").open("details");
        page.leaf("summary", whole(looks.size()) + ", newest first");
        page.open("div", "class", "wide").open("table").open("thead").open("tr");
        for (String head : List.of("step", "training loss", "validation loss", "bits per byte")) {
            page.leaf("th", head);
        }
        if (metrics.hasPlainLoss()) {
            page.leaf("th", "loss on " + card.plainText());
        }
        page.close().close().open("tbody");
        for (RunMetrics.Look look : looks.reversed()) {
            page.open("tr").leaf("td", whole(look.step()));
            for (double value : new double[] {look.trainingLoss(), look.validationLoss(), look.bitsPerByte()}) {
                page.leaf("td", loss(value));
            }
            if (metrics.hasPlainLoss()) {
                page.leaf("td", loss(look.plainLoss()));
            }
            page.close();
        }
        page.close().close().close().close();
    }

    private void data(Markup page, TrainingState.Progress progress) {
        page.leaf("h2", "Data").leaf("p", card.data(), "class", "dim");
        page.open("div", "class", "wide").open("table").open("thead").open("tr");
        for (String head : List.of("file", "training tokens", "held-out tokens", "share of blocks", "epochs so far")) {
            page.leaf("th", head);
        }
        page.close().close().open("tbody");
        double seen = progress.step() * blocks.tokensPerStep(config);
        for (BlockSource.Part part : blocks.parts()) {
            page.open("tr").leaf("td", part.name());
            page.leaf("td", whole(part.trainingTokens()));
            page.leaf("td", whole(part.heldOutTokens()));
            page.leaf("td", String.format(Locale.ROOT, "%.1f %%", 100 * part.share()));
            page.leaf("td", String.format(Locale.ROOT, "%.2f", seen * part.share() / part.trainingTokens()));
            page.close();
        }
        page.close().close().close();
    }

    /** At most so many, evenly spread, with the first and the last. */
    private static <T> List<T> spread(List<T> all, int most) {
        if (all.size() <= most) {
            return all;
        }
        List<T> some = new ArrayList<>();
        for (int i = 0; i < most; i++) {
            some.add(all.get((int) ((long) i * (all.size() - 1) / (most - 1))));
        }
        return some;
    }

    private static String whole(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String loss(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }
}
