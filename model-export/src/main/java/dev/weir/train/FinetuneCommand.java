package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weir finetune}: teaches a pre-trained GPT a task from labelled examples. Owned by the main thread. */
@Command(
        name = "finetune",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Teaches a pre-trained GPT a task from labelled examples.",
        footer = {
            "",
            "Examples are rows with tabs between their columns, which the first line names, or JSON objects, one in",
            "each line, with the same names:",
            "  classification   text, label            also without a header: the text, a tab, the label",
            "  regression       text, label            the label is a number",
            "  entailment       premise, hypothesis, label",
            "  similarity       text1, text2, label    the label is a number",
            "  multiple-choice  JSON alone: {\"question\": \"...\", \"choices\": [\"...\", \"...\"], \"label\": 0}",
            "",
            "DIR/best keeps the weights that do best on --dev and DIR/last those of the last epoch, with the head;",
            "./weir eval --model DIR/best --classify FILE measures them again. DIR/report.json has the results, and",
            "how well the model still predicts plain text: before, at its best and at the end. Ctrl-C keeps what the",
            "epochs so far have come to."
        })
final class FinetuneCommand implements Callable<Integer> {
    /** What a pull towards zero is where L2-SP does not replace it. */
    private static final double WEIGHT_DECAY = 0.01;
    /** That of GPT-1's fine-tuning. */
    private static final double LEARNING_RATE = 6.25e-5;
    /** That of the LoRA paper's GPT-2. */
    private static final double LORA_LEARNING_RATE = 2e-4;
    /** The exit code after Ctrl-C. */
    private static final int STOPPED = 130;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            required = true,
            description = "The model to begin with, that pretrain, import or finetune wrote, such as runs/NAME/best.")
    private Path checkpoint = Path.of("");

    @Option(
            names = "--task",
            paramLabel = "NAME",
            required = true,
            description = "classification, regression, entailment, similarity or multiple-choice.")
    private String task = "";

    @Option(names = "--train", paramLabel = "FILE", required = true, description = "Examples to learn from.")
    private Path train = Path.of("");

    @Option(names = "--dev", paramLabel = "FILE", required = true, description = "Examples to measure on.")
    private Path dev = Path.of("");

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Where the run is kept.")
    private Path out = Path.of("");

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "Plain UTF-8 text on which to measure how much of its language the model forgets "
                    + "(default: the texts of --dev).")
    private @Nullable Path text;

    @Option(
            names = "--scratch",
            description = "Begin with random weights and the checkpoint's shape and tokenizer, to see what the "
                    + "pre-training is worth.")
    private boolean scratch;

    @Option(
            names = "--lambda",
            paramLabel = "L",
            defaultValue = "0.5",
            description =
                    "Weight of the loss of predicting the examples' own tokens, or those of --rehearse, beside the task's "
                            + "(default: ${DEFAULT-VALUE}).")
    private double lambda;

    @Option(
            names = "--rehearse",
            paramLabel = "FILE",
            description =
                    "Plain UTF-8 text, such as the model was pre-trained on, to take the language loss over instead "
                            + "of the examples: what is rehearsed is not forgotten.")
    private @Nullable Path rehearse;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "3",
            description = "Times that each example is seen (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "32",
            description = "Examples of a step (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "Learning rate after the warm-up, from where it goes down to zero in a straight line "
                    + "(default: 6.25e-5, with --lora-rank 2e-4).")
    private @Nullable Double learningRate;

    @Option(
            names = "--warm-up",
            paramLabel = "SHARE",
            defaultValue = "0.002",
            description = "Share of the steps until the full learning rate (default: ${DEFAULT-VALUE}).")
    private double warmUp;

    @Option(
            names = "--dropout",
            paramLabel = "SHARE",
            defaultValue = "0.1",
            description = "Share of activations and attention weights dropped while training"
                    + " (default: ${DEFAULT-VALUE}).")
    private double dropout;

    @Option(
            names = "--weight-decay",
            paramLabel = "W",
            description = "Pull of matrices and embeddings towards zero (default: 0.01, with --l2sp 0).")
    private @Nullable Double weightDecay;

    @Option(
            names = "--l2sp",
            paramLabel = "A",
            defaultValue = "0",
            description = "Pull of all weights towards the checkpoint's, and of new ones towards zero "
                    + "(default: ${DEFAULT-VALUE}).")
    private double l2sp;

    @Option(
            names = "--freeze",
            paramLabel = "N",
            description = "Keep the embeddings and the first N blocks as they are; the task's own tokens learn "
                    + "(default: everything learns).")
    private @Nullable Integer freeze;

    @Mixin
    private final LoraOptions lora = new LoraOptions();

    @Option(
            names = "--beta1",
            paramLabel = "B",
            defaultValue = "0.9",
            description = "AdamW's decay of the mean (default: ${DEFAULT-VALUE}).")
    private double beta1;

    @Option(
            names = "--beta2",
            paramLabel = "B",
            defaultValue = "0.999",
            description = "AdamW's decay of the variance (default: ${DEFAULT-VALUE}).")
    private double beta2;

    @Option(
            names = "--clip",
            paramLabel = "NORM",
            defaultValue = "1.0",
            description = "Longest gradient followed unscaled (default: ${DEFAULT-VALUE}).")
    private double clip;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of new weights, the order of examples and dropout (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--threads", paramLabel = "N", description = "Threads to train on (default: all processors).")
    private @Nullable Integer threads;

    @Option(
            names = "--matmul",
            paramLabel = "HOW",
            defaultValue = "auto",
            description = "Numbers that training multiplies matrices in: fp32, bf16, or auto for the faster on this "
                    + "machine (default: ${DEFAULT-VALUE}).")
    private String matmul = "auto";

    @Option(
            names = "--log-every",
            paramLabel = "N",
            defaultValue = "10",
            description = "Steps between two lines of progress (default: ${DEFAULT-VALUE}).")
    private int logEvery;

    @Override
    public Integer call() throws IOException {
        int threadCount = threads();
        Torch.configure(threadCount);
        // All that the user gave is read and checked before anything is written.
        FinetuneTask kind = FinetuneTask.named("--task", task);
        LabelledFile trainFile = LabelledFile.read("--train", train, kind);
        LabelledFile devFile = LabelledFile.read("--dev", dev, kind);
        TaskHead head = trainFile.head();
        trainFile.check(head);
        devFile.check(head);
        Checkpoint base = open();
        Tokenizer own = tokenizer(base.config());
        int vocabulary = own.vocabularySize() + TaskTokens.missing(own);
        FinetuneConfig config = config(base, vocabulary);
        PlainText plain = plainText(devFile, own);
        BlockSource rehearsed = rehearsed(own, base.config().context());
        FinetuneFolder.requireFresh(out);

        Map<String, String> files = files();
        Tokenizer tokenizer = Tokenizer.load(out);
        TaskEncoder encoder = new TaskEncoder(
                kind, tokenizer, TaskTokens.of(tokenizer), base.config().context());
        Finetuner.Data data =
                new Finetuner.Data(encoder.encode(trainFile, head), encoder.encode(devFile, head), plain, rehearsed);
        GptWeights beginning = scratch ? new RandomGptWeights(base.config(), seed) : base;
        TaskWeights start = new TaskWeights(beginning, config.model(), head, own.vocabularySize(), vocabulary, seed);

        SequencedMap<String, String> settings = config.describe();
        settings.put("rehearse", rehearse == null ? "nothing" : String.valueOf(rehearse.getFileName()));
        settings.put("threads", String.valueOf(threadCount));
        long cut = Stream.concat(data.train().stream(), data.dev().stream())
                .filter(TaskExample::cut)
                .count();
        announce(settings, config, start, data, cut);
        FinetuneRun run = new FinetuneRun(
                config,
                head,
                TrainingCard.command(spec.commandLine().getParseResult().originalArgs()),
                checkpoint.toString(),
                settings,
                trainFile,
                devFile,
                cut,
                plain.source(),
                plain.loss(new GptModel(GptParameters.frozen(beginning))),
                files,
                tokenizer.eosId().isPresent() ? tokenizer.eosId() : GptConfigFile.endOfText(checkpoint, base.config()),
                scratch ? "" : TrainingCard.of(checkpoint));
        FinetuneFolder folder = new FinetuneFolder(out, run, spec.commandLine().getOut(), logEvery);
        Finetuner finetuner = new Finetuner(config, start, data, folder);
        try (StopRequest stop = new StopRequest()) {
            if (!finetuner.run(stop::isAsked)) {
                folder.stopped();
                return STOPPED;
            }
        }
        folder.finished(finetuner);
        return CommandLine.ExitCode.OK;
    }

    private int threads() {
        if (threads != null && threads < 1) {
            throw new UserError("--threads is " + threads + ": it must be at least 1");
        }
        if (logEvery < 1) {
            throw new UserError("--log-every is " + logEvery + ": it must be at least 1");
        }
        return threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    }

    private Checkpoint open() throws IOException {
        Checkpoint base = Checkpoint.open(checkpoint);
        if (base.config().direction() == Direction.RTL) {
            throw new UserError("--checkpoint is " + checkpoint
                    + ", which reads right to left: a task is read at the end of its texts, so give a model that reads "
                    + "left to right");
        }
        return base;
    }

    private Tokenizer tokenizer(GptConfig model) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(checkpoint);
        if (tokenizer.vocabularySize() > model.vocabularySize()) {
            throw new UserError(checkpoint.resolve("tokenizer.json") + " has " + tokenizer.vocabularySize()
                    + " tokens but the model only " + model.vocabularySize() + ": they are not from the same training");
        }
        return tokenizer;
    }

    private FinetuneConfig config(Checkpoint base, int vocabulary) {
        GptConfig model = base.config();
        double decay = weightDecay != null ? weightDecay : l2sp > 0 ? 0 : WEIGHT_DECAY;
        return new FinetuneConfig(
                model.withVocabularySize(Math.max(model.vocabularySize(), vocabulary))
                        .withDropout(dropout),
                scratch,
                lambda,
                epochs,
                batch,
                learningRate != null ? learningRate : lora.isGiven() ? LORA_LEARNING_RATE : LEARNING_RATE,
                warmUp,
                beta1,
                beta2,
                decay,
                l2sp,
                freeze,
                lora.of(checkpoint, base),
                clip,
                matmul.equals("auto") ? Matmul.fastest() : Matmul.named(matmul),
                seed);
    }

    private PlainText plainText(LabelledFile devFile, Tokenizer tokenizer) throws IOException {
        if (text == null) {
            int[] tokens = tokenizer.encode(devFile.plainText());
            return new PlainText("the texts of " + devFile.source().file().getFileName(), tokens, tokenizer);
        }
        TextFile file = TextFile.read("--text", text);
        return new PlainText(String.valueOf(text.getFileName()), tokenizer.encode(file.text(), true), tokenizer);
    }

    private @Nullable BlockSource rehearsed(Tokenizer tokenizer, int context) throws IOException {
        if (rehearse == null) {
            return null;
        }
        if (lambda == 0) {
            throw new UserError("--rehearse is " + rehearse + " but --lambda is 0, which leaves the language loss out: "
                    + "leave out one of them");
        }
        int[] tokens = tokenizer.encode(TextFile.read("--rehearse", rehearse).text(), true);
        if (tokens.length <= context) {
            throw new UserError("--rehearse is " + rehearse + ", which has " + tokens.length
                    + " tokens: it must be longer than the context of " + context + ", so give more text");
        }
        return new TokenizedText(tokens, new int[0], tokenizer);
    }

    /** What goes with the weights: the tokenizer with the task's tokens, kept in the run's folder too, and the rest. */
    private Map<String, String> files() throws IOException {
        Map<String, String> files = TaskTokens.addTo(checkpoint);
        Files.createDirectories(out);
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(out.resolve(file.getKey()), file.getValue());
        }
        for (String name : ExportSource.FILES) {
            if (!files.containsKey(name) && Files.isRegularFile(checkpoint.resolve(name))) {
                files.put(name, Files.readString(checkpoint.resolve(name)));
            }
        }
        return files;
    }

    private static long elements(GptWeights weights, GptParameters.Trained which) {
        return weights.tensorShapes().entrySet().stream()
                .mapToLong(tensor -> which.of(tensor.getKey(), GptConfig.elements(tensor.getValue()))
                        .length())
                .sum();
    }

    private void announce(
            SequencedMap<String, String> settings,
            FinetuneConfig config,
            TaskWeights start,
            Finetuner.Data data,
            long cut) {
        PrintWriter console = spec.commandLine().getOut();
        settings.forEach((name, value) -> console.printf("%-18s %s%n", name, value));
        TaskHead head = start.task();
        console.printf(
                Locale.ROOT,
                "%,d weights, of which %,d learn; %s%s; %,d training and %,d dev examples%n",
                elements(config.beginning(start), GptParameters.Trained.ALL),
                elements(config.beginning(start), config.trained(start)),
                head.task().label(),
                head.labels().isEmpty() ? "" : " with the labels " + String.join(", ", head.labels()),
                data.train().size(),
                data.dev().size());
        if (cut > 0) {
            console.printf(
                    Locale.ROOT,
                    "%,d of these examples are longer than the context of %d tokens and were cut%n",
                    cut,
                    start.config().context());
        }
        console.flush();
    }
}
