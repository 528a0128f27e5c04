package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * The folder of one run, and what its user sees while it goes. Owned by the training thread.
 *
 * <p>{@code best/} and {@code last/} are model folders in Hugging Face's layout with the tokenizer in each, {@code last/} also
 * holds the state to resume from; {@code metrics.jsonl} has one line for each step and each look at the held-out text; {@code
 * report.html} shows them; {@code samples.txt} has what the best weights write.
 */
final class RunFolder implements Pretrainer.Listener {
    static final List<String> TOKENIZER_FILES = List.of("tokenizer.json", "tokenizer_config.json");

    private final Path folder;
    private final PretrainConfig config;
    private final Tokenizer tokenizer;
    private final String dataSha256;
    private final TrainingReport report;
    private final ShortSample sample;
    private final PrintStream out;
    private final int logEvery;
    private final ObjectMapper mapper = new ObjectMapper();
    private double smoothSeconds;

    RunFolder(
            Path folder,
            PretrainConfig config,
            Tokenizer tokenizer,
            String dataSha256,
            TrainingReport report,
            ShortSample sample,
            PrintStream out,
            int logEvery) {
        this.folder = folder;
        this.config = config;
        this.tokenizer = tokenizer;
        this.dataSha256 = dataSha256;
        this.report = report;
        this.sample = sample;
        this.out = out;
        this.logEvery = logEvery;
    }

    /**
     * Refuses a folder that holds a run already, or to resume one that is not there.
     *
     * @throws UserError if so
     */
    static void require(Path folder, boolean resume) {
        Path state = last(folder).resolve(TrainingState.NAME);
        if (!resume && Files.exists(state)) {
            throw new UserError("--out is " + folder + ", which holds a run already: add --resume to go on with it, "
                    + "or choose another folder");
        }
        if (resume && !Files.exists(state)) {
            throw new UserError("--resume finds no " + state + ": start the run without --resume");
        }
    }

    /** The model folder with the lowest held-out loss. */
    static Path best(Path folder) {
        return folder.resolve("best");
    }

    /** The model folder of the last save, with the state to resume from. */
    static Path last(Path folder) {
        return folder.resolve("last");
    }

    /** Digest of a folder's tokenizer. */
    static String tokenizerSha256(Path folder) throws IOException {
        MessageDigest digest = Sha256.digest();
        for (String name : TOKENIZER_FILES) {
            if (Files.isRegularFile(folder.resolve(name))) {
                digest.update(Files.readAllBytes(folder.resolve(name)));
            }
        }
        return Sha256.hex(digest);
    }

    @Override
    public void stepped(Pretrainer.StepReport report) throws IOException {
        double tokensPerSecond = report.tokens() / report.seconds();
        ObjectNode line = mapper.createObjectNode();
        line.put("step", report.step());
        line.put("loss", report.loss());
        line.put("learning_rate", report.learningRate());
        line.put("gradient_norm", report.gradientNorm());
        line.put("tokens", report.tokens());
        line.put("seconds", report.seconds());
        append(line);
        // The first step also unpacks and warms up libtorch: it says nothing about the next.
        smoothSeconds = smoothSeconds == 0 || report.step() <= 2
                ? report.seconds()
                : 0.9 * smoothSeconds + 0.1 * report.seconds();
        if (report.step() % logEvery == 0 || report.step() == 1 || report.step() == config.steps()) {
            out.printf(
                    Locale.ROOT,
                    "step %d/%d  loss %.4f  lr %.2e  |g| %.2f  %,.0f tokens/s  %s left%n",
                    report.step(),
                    config.steps(),
                    report.loss(),
                    report.learningRate(),
                    report.gradientNorm(),
                    tokensPerSecond,
                    clock((config.steps() - report.step()) * smoothSeconds));
        }
    }

    @Override
    public void evaluated(Pretrainer run, Pretrainer.Evaluation evaluation, boolean best) throws IOException {
        ObjectNode line = mapper.createObjectNode();
        line.put("step", evaluation.step());
        line.put("validation_loss", evaluation.loss());
        line.put("bits_per_byte", evaluation.bitsPerByte());
        evaluation.plainLoss().ifPresent(loss -> line.put("text_loss", loss));
        line.put("training_seconds", run.progress().seconds());
        String written = sample.write(run.model(), tokenizer);
        if (!written.isEmpty()) {
            line.put("sample", written);
        }
        append(line);
        save(run);
        if (best) {
            writeModel(best(folder), run);
        }
        writeCard(run.progress());
        writeReport(run.progress());
        out.printf(
                Locale.ROOT,
                "step %d/%d  validation loss %.4f per token, %.4f bits per byte%s%s%n",
                evaluation.step(),
                config.steps(),
                evaluation.loss(),
                evaluation.bitsPerByte(),
                evaluation.plainLoss().isPresent()
                        ? String.format(
                                Locale.ROOT,
                                ", %.4f on the plain text",
                                evaluation.plainLoss().getAsDouble())
                        : "",
                best
                        ? ", the best so far"
                        : ", best was "
                                + String.format(
                                        Locale.ROOT, "%.4f", run.progress().bestLoss()) + " at step "
                                + run.progress().bestStep());
    }

    @Override
    public void interrupted(Pretrainer run) throws IOException {
        save(run);
        writeReport(run.progress());
        out.printf(
                "stopped and saved at step %d: the same command with --resume goes on%n",
                run.progress().step());
    }

    private void save(Pretrainer run) throws IOException {
        writeModel(last(folder), run);
        TrainingState.save(last(folder), run.parameters(), run.optimizer(), config, dataSha256, run.progress());
    }

    private void writeModel(Path model, Pretrainer run) throws IOException {
        Checkpoint.write(model, run.parameters(), tokenizer.eosId());
        for (String name : ExportSource.FILES) {
            if (Files.isRegularFile(folder.resolve(name))) {
                AtomicFile.write(model.resolve(name), Files.readAllBytes(folder.resolve(name)));
            }
        }
    }

    /** Tells beside the best weights how they came about. */
    void writeCard(TrainingState.Progress progress) throws IOException {
        AtomicFile.writeString(
                best(folder).resolve(TrainingCard.FILE), report.card().text(metrics(), samples(), progress));
    }

    /** Shows on a page how the run goes. */
    void writeReport(TrainingState.Progress progress) throws IOException {
        String samples = Files.isRegularFile(samples()) ? Files.readString(samples()) : "";
        report.write(folder, RunMetrics.read(metrics()), progress, samples);
    }

    /** The page that shows how a run goes. */
    static Path report(Path folder) {
        return folder.resolve(TrainingReport.FILE);
    }

    /** Where texts by the best weights are kept. */
    Path samples() {
        return folder.resolve("samples.txt");
    }

    /** Drops the lines of steps after a saved one, which a resumed run will write again. */
    void rewind(int step) throws IOException {
        Path metrics = metrics();
        if (!Files.isRegularFile(metrics)) {
            return;
        }
        StringBuilder kept = new StringBuilder();
        for (String line : Files.readAllLines(metrics)) {
            // A crash can leave half a line at the end.
            if (line.endsWith("}") && mapper.readTree(line).path("step").asInt() <= step) {
                kept.append(line).append('\n');
            }
        }
        AtomicFile.writeString(metrics, kept.toString());
    }

    private void append(ObjectNode line) throws IOException {
        Files.writeString(
                metrics(),
                mapper.writeValueAsString(line) + "\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    private Path metrics() {
        return folder.resolve("metrics.jsonl");
    }

    /** A time to go, in words. */
    static String clock(double seconds) {
        Duration left = Duration.ofSeconds(Math.round(seconds));
        return left.toHours() > 0
                ? left.toHours() + "h" + String.format("%02d", left.toMinutesPart()) + "m"
                : left.toMinutes() + "m" + String.format("%02d", left.toSecondsPart()) + "s";
    }
}
