package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The folder of one fine-tuning, and what its user sees while it goes. Owned by the training thread.
 *
 * <p>{@code best/} and {@code last/} are model folders in Hugging Face's layout, each replaced as a whole, with the head and the
 * tokenizer; {@code metrics.jsonl} has one line for each step and each look at the dev examples; {@code report.json} what the
 * run has come to.
 */
final class FinetuneFolder implements Finetuner.Listener {
    private static final String METRICS = "metrics.jsonl";
    private static final String REPORT = "report.json";

    private final Path folder;
    private final FinetuneRun run;
    private final PrintWriter out;
    private final int logEvery;
    private final ObjectMapper mapper = new ObjectMapper();
    private final List<Finetuner.Evaluation> evaluations = new ArrayList<>();
    private double smoothSeconds;

    FinetuneFolder(Path folder, FinetuneRun run, PrintWriter out, int logEvery) {
        this.folder = folder;
        this.run = run;
        this.out = out;
        this.logEvery = logEvery;
    }

    /**
     * Refuses a folder with a run in it.
     *
     * @throws UserError naming what is there
     */
    static void requireFresh(Path folder) {
        for (Path path : List.of(
                RunFolder.best(folder), RunFolder.last(folder), folder.resolve(METRICS), folder.resolve(REPORT))) {
            if (Files.exists(path)) {
                throw new UserError("--out is " + folder + ", which has a " + path.getFileName()
                        + " of another run: choose another folder");
            }
        }
    }

    @Override
    public void stepped(Finetuner.StepReport report) throws IOException {
        ObjectNode line = mapper.createObjectNode();
        line.put("step", report.step());
        line.put("loss", report.loss());
        line.put("task_loss", report.task());
        if (run.config().lambda() > 0) {
            line.put("language_loss", report.language());
        }
        line.put("learning_rate", report.learningRate());
        line.put("gradient_norm", report.gradientNorm());
        line.put("seconds", report.seconds());
        append(line);
        // The first step also unpacks and warms up libtorch: it says nothing about the next.
        smoothSeconds = smoothSeconds == 0 || report.step() <= 2
                ? report.seconds()
                : 0.9 * smoothSeconds + 0.1 * report.seconds();
        if (report.step() % logEvery == 0 || report.step() == 1 || report.step() == run.steps()) {
            print(String.format(
                    Locale.ROOT,
                    "step %d/%d  loss %.4f (task %.4f, language %.4f)  lr %.2e  |g| %.2f  %,.0f tokens/s  %s left",
                    report.step(),
                    run.steps(),
                    report.loss(),
                    report.task(),
                    report.language(),
                    report.learningRate(),
                    report.gradientNorm(),
                    report.tokens() / report.seconds(),
                    RunFolder.clock((run.steps() - report.step()) * smoothSeconds)));
        }
    }

    @Override
    public void evaluated(Finetuner finetuner, Finetuner.Evaluation evaluation, boolean isBest) throws IOException {
        evaluations.add(evaluation);
        append(node(evaluation));
        Finetuner.Evaluation best = finetuner.best();
        write(RunFolder.last(folder), finetuner, evaluation);
        if (isBest) {
            write(RunFolder.best(folder), finetuner, evaluation);
        }
        writeReport(finetuner);
        print(String.format(
                Locale.ROOT,
                "step %d/%d  epoch %d: dev %s; language %.4f nats per token, %.4f before%s",
                evaluation.step(),
                run.steps(),
                evaluation.epoch(),
                evaluation.dev(),
                evaluation.languageLoss(),
                run.languageLossBefore(),
                isBest
                        ? ", the best so far"
                        : String.format(
                                Locale.ROOT,
                                ", best was %.4f after epoch %d",
                                best.dev().main(),
                                best.epoch())));
    }

    private void write(Path model, Finetuner finetuner, Finetuner.Evaluation evaluation) throws IOException {
        AtomicFolder.write(model, draft -> {
            Checkpoint.write(draft, finetuner.weights(), run.endOfText());
            for (Map.Entry<String, String> file : run.files().entrySet()) {
                Files.writeString(draft.resolve(file.getKey()), file.getValue());
            }
            Files.writeString(draft.resolve(TrainingCard.FILE), run.card(evaluations, evaluation, finetuner.seconds()));
        });
    }

    private ObjectNode node(Finetuner.Evaluation evaluation) {
        ObjectNode node = mapper.createObjectNode();
        node.put("step", evaluation.step());
        node.put("epoch", evaluation.epoch());
        ObjectNode dev = node.putObject("dev");
        evaluation.dev().writeTo(dev);
        node.put("text_loss", evaluation.languageLoss());
        return node;
    }

    private void writeReport(Finetuner finetuner) throws IOException {
        ObjectNode root = mapper.createObjectNode();
        run.describe(root);
        root.put("seconds", finetuner.seconds());
        root.put("text_loss_before", run.languageLossBefore());
        root.set("best", node(finetuner.best()));
        root.set("last", node(evaluations.getLast()));
        byte[] json = mapper.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
        AtomicFile.write(folder.resolve(REPORT), json);
    }

    /** Says that the run was stopped, and what is left of it. */
    void stopped() {
        print(
                evaluations.isEmpty()
                        ? "stopped before the end of the first epoch: nothing is kept"
                        : "stopped: " + RunFolder.best(folder) + " and " + RunFolder.last(folder)
                                + " keep what there was after epoch "
                                + evaluations.getLast().epoch());
    }

    /** Says what has come of the run. */
    void finished(Finetuner finetuner) {
        Finetuner.Evaluation best = finetuner.best();
        Finetuner.Evaluation last = evaluations.getLast();
        print(String.format(
                Locale.ROOT,
                "done: %d steps in %.0f s; best after epoch %d, in %s: dev %s",
                last.step(),
                finetuner.seconds(),
                best.epoch(),
                RunFolder.best(folder),
                best.dev()));
        print(String.format(
                Locale.ROOT,
                "language loss on %s: %.4f nats per token before, %.4f with the best weights, %.4f with the last",
                run.textSource(),
                run.languageLossBefore(),
                best.languageLoss(),
                last.languageLoss()));
    }

    private void append(ObjectNode line) throws IOException {
        Files.writeString(
                folder.resolve(METRICS),
                mapper.writeValueAsString(line) + "\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    private void print(String line) {
        out.println(line);
        out.flush();
    }
}
