package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weir pretrain}: trains a tokenizer and a GPT from text files. Owned by the main thread. */
@Command(
        name = "pretrain",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a tokenizer and a GPT from files of text.",
        footer = {
            "",
            "The last part of each file is held out. DIR/best keeps the weights that",
            "predict it best, DIR/last the newest with all that --resume needs; both are",
            "model folders to export. DIR/report.html shows how it goes, anew after each",
            "validation. Ctrl-C saves and exits."
        })
final class PretrainCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    DataOptions data = new DataOptions();

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Where the run is kept.")
    @Nullable
    Path out;

    @Option(names = "--resume", description = "Go on where the run in --out was saved.")
    boolean resume;

    @Option(
            names = "--tokenizer",
            paramLabel = "DIR",
            description = "Use the tokenizer.json of this folder instead of training one.")
    @Nullable
    Path tokenizerFolder;

    @Option(
            names = "--control-token",
            paramLabel = "TOKEN",
            description =
                    "A token of the new tokenizer that no user's text becomes, such as '<|user|>' for a chat template; "
                            + "may be given several times.")
    List<String> controlTokens = List.of();

    @Option(
            names = "--init",
            paramLabel = "DIR",
            description = "Start from the weights and the tokenizer of this checkpoint instead of random ones.")
    @Nullable
    Path init;

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "2000",
            description = "Optimizer steps (default: ${DEFAULT-VALUE}).")
    int steps;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "16",
            description = "Blocks of --context tokens in a forward pass (default: ${DEFAULT-VALUE}).")
    int batch;

    @Option(
            names = "--accumulate",
            paramLabel = "N",
            defaultValue = "1",
            description = "Forward passes that make one step (default: ${DEFAULT-VALUE}).")
    int accumulate;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            defaultValue = "1e-3",
            description = "Learning rate after the warm-up (default: ${DEFAULT-VALUE}).")
    double learningRate;

    @Option(
            names = "--min-learning-rate",
            paramLabel = "RATE",
            description = "Learning rate of the last step (default: a tenth of --learning-rate).")
    @Nullable
    Double minLearningRate;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            defaultValue = "100",
            description = "Steps until the full learning rate (default: ${DEFAULT-VALUE}).")
    int warmUp;

    @Option(
            names = "--beta1",
            paramLabel = "B",
            defaultValue = "0.9",
            description = "AdamW's decay of the mean (default: ${DEFAULT-VALUE}).")
    double beta1;

    @Option(
            names = "--beta2",
            paramLabel = "B",
            defaultValue = "0.99",
            description = "AdamW's decay of the variance (default: ${DEFAULT-VALUE}).")
    double beta2;

    @Option(
            names = "--weight-decay",
            paramLabel = "W",
            defaultValue = "0.1",
            description = "Pull of matrices and embeddings towards zero (default: ${DEFAULT-VALUE}).")
    double weightDecay;

    @Option(
            names = "--clip",
            paramLabel = "NORM",
            defaultValue = "1.0",
            description = "Longest gradient followed unscaled (default: ${DEFAULT-VALUE}).")
    double clip;

    @Option(
            names = "--eval-every",
            paramLabel = "N",
            defaultValue = "250",
            description = "Steps between two validations; each also saves (default: ${DEFAULT-VALUE}).")
    int evalEvery;

    @Option(
            names = "--eval-blocks",
            paramLabel = "N",
            defaultValue = "256",
            description = "Most held-out blocks of one validation (default: ${DEFAULT-VALUE}).")
    int evalBlocks;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of weights, blocks and dropout (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--threads", paramLabel = "N", description = "Threads to train on (default: all processors).")
    @Nullable
    Integer threads;

    @Option(
            names = "--matmul",
            paramLabel = "HOW",
            defaultValue = "auto",
            description = "Numbers that training multiplies matrices in: fp32, bf16, or auto for the faster on this "
                    + "machine (default: ${DEFAULT-VALUE}).")
    String matmul = "auto";

    @Option(
            names = "--log-every",
            paramLabel = "N",
            defaultValue = "10",
            description = "Steps between two lines of progress (default: ${DEFAULT-VALUE}).")
    int logEvery;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "3",
            description =
                    "Texts to write at the end with the best weights; unless 0, each validation also writes a short "
                            + "one into the report (default: ${DEFAULT-VALUE}).")
    int samples;

    @Option(
            names = "--sample-tokens",
            paramLabel = "N",
            defaultValue = "200",
            description = "Tokens of each (default: ${DEFAULT-VALUE}).")
    int sampleTokens;

    @Option(
            names = "--sample-prompt",
            paramLabel = "TEXT",
            defaultValue = "\\n",
            description = "What they continue; \\n stands for a line break (default: ${DEFAULT-VALUE}).")
    String samplePrompt = "\\n";

    @Override
    public Integer call() throws IOException {
        PrintStream console = System.out;
        Path folder = Objects.requireNonNull(out);
        checkOptions();
        Path state = RunFolder.last(folder).resolve(TrainingState.NAME);
        if (!resume && Files.exists(state)) {
            throw new UserError("--out is " + folder + ", which holds a run already: add --resume to go on with it, "
                    + "or choose another folder");
        }
        if (resume && !Files.exists(state)) {
            throw new UserError("--resume finds no " + state + ": start the run without --resume");
        }
        TrainingData text = data.read();
        TrainingState.Saved saved = resume ? TrainingState.load(RunFolder.last(folder), text.digests()) : null;
        Tokenizer tokenizer = tokenizer(text, folder, console);
        int threadCount = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        Torch.configure(threadCount);
        PretrainConfig config = config(tokenizer.vocabularySize(), saved);
        TokenizedText tokens = text.tokenize(
                tokenizer,
                RunFolder.tokenizerSha256(folder),
                config.model(),
                data.tokenCache(folder, threadCount, console));

        TrainingCard card = new TrainingCard(
                TrainingCard.command(spec.commandLine().getParseResult().originalArgs()),
                text.describe() + ": " + tokens.describe(),
                settings(config, threadCount),
                init == null ? "" : trainingBefore(init));
        ShortSample sample =
                new ShortSample(prompt(), samples == 0 ? 0 : Math.min(sampleTokens, ShortSample.MOST_TOKENS), seed);
        TrainingReport report = new TrainingReport(card, tokens, config);
        RunFolder run = new RunFolder(folder, config, tokenizer, text.digest(), report, sample, console, logEvery);
        Pretrainer pretrainer;
        if (saved != null) {
            pretrainer = Pretrainer.resume(config, tokens, saved, run);
            run.rewind(saved.progress().step());
        } else {
            pretrainer = Pretrainer.start(config, tokens, initial(config.model()), run);
        }
        announce(config, tokens, threadCount, pretrainer.progress(), console);
        try (StopRequest stop = new StopRequest()) {
            if (!pretrainer.run(stop::isAsked)) {
                return 130;
            }
        }
        writeSamples(run.samples(), RunFolder.best(folder), tokenizer, console);
        TrainingState.Progress progress = pretrainer.progress();
        run.writeCard(progress);
        run.writeReport(progress);
        console.printf(
                Locale.ROOT,
                "done: %d steps in %.0f s; best validation loss %.4f at step %d, in %s; curves in %s%n",
                progress.step(),
                progress.seconds(),
                progress.bestLoss(),
                progress.bestStep(),
                RunFolder.best(folder),
                RunFolder.report(folder));
        return 0;
    }

    /** The card of the checkpoint that a run begins with, if it has one. */
    private static String trainingBefore(Path checkpoint) throws IOException {
        Path card = checkpoint.resolve(TrainingCard.FILE);
        return Files.isRegularFile(card) ? Files.readString(card) : "";
    }

    private GptWeights initial(GptConfig model) throws IOException {
        if (init == null) {
            return new RandomGptWeights(model, seed);
        }
        Checkpoint checkpoint = Checkpoint.open(init);
        if (!model.tensorShapes()
                        .keySet()
                        .equals(checkpoint.config().tensorShapes().keySet())
                || model.parameters() != checkpoint.config().parameters()
                || model.heads() != checkpoint.config().heads()) {
            throw new UserError("--init is " + init + " with " + checkpoint.config() + ", but the run is to have "
                    + model + ": give the same shape");
        }
        return GptWeights.of(model, checkpoint::tensor); // whose dropout may be another
    }

    private void checkOptions() {
        model.check();
        if (!matmul.equals("auto")) {
            Matmul.named(matmul);
        }
        if (threads != null && threads < 1) {
            throw new UserError("--threads is " + threads + ": it must be at least 1");
        }
        if (init != null && tokenizerFolder != null) {
            throw new UserError("--init brings its tokenizer: leave out --tokenizer");
        }
        if (!controlTokens.isEmpty() && (init != null || tokenizerFolder != null)) {
            throw new UserError("--control-token is " + controlTokens.getFirst()
                    + ", but the run has its tokenizer already: leave it out");
        }
        Set<String> controls = new HashSet<>(List.of(TrainingData.END_OF_TEXT));
        for (String token : controlTokens) {
            if (token.isBlank() || !controls.add(token)) {
                throw new UserError("--control-token is \"" + token + "\", which is empty or there already: "
                        + "give each token once");
            }
        }
        if (logEvery < 1) {
            throw new UserError("--log-every is " + logEvery + ": it must be at least 1");
        }
        if (samples < 0 || sampleTokens < 1) {
            throw new UserError("--samples is " + samples + " and --sample-tokens " + sampleTokens
                    + ": they must be at least 0 and 1");
        }
        if (samples > 0 && samplePrompt.isEmpty()) {
            throw new UserError("--sample-prompt is empty: give at least one character");
        }
    }

    /** The run's tokenizer, kept in its folder: the one of a resumed run, a given one, or one trained on the training part. */
    private Tokenizer tokenizer(TrainingData text, Path folder, PrintStream console) throws IOException {
        if (resume) {
            return Tokenizer.load(folder);
        }
        Files.createDirectories(folder);
        Path given = init == null ? tokenizerFolder : init;
        if (given == null) {
            try (TokenizerSample sample = new TokenizerSample(text.files(), TokenizerSample.MOST_BYTES)) {
                sample.describe().ifPresent(console::println);
                BpeTrainer.Vocabulary trained = sample.train(model.vocabularySize(), controlTokens);
                trained.shortfall().ifPresent(console::println);
                trained.write(folder);
            }
        } else {
            for (String name : RunFolder.TOKENIZER_FILES) {
                if (Files.isRegularFile(given.resolve(name))) {
                    Files.copy(given.resolve(name), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                } else if (name.equals("tokenizer.json")) {
                    throw new UserError("the tokenizer's folder is " + given + ", which has no tokenizer.json");
                }
            }
        }
        return Tokenizer.load(folder);
    }

    private PretrainConfig config(int vocabularySize, TrainingState.@Nullable Saved saved) {
        double floor = minLearningRate == null ? learningRate / 10 : minLearningRate;
        return new PretrainConfig(
                model.config(vocabularySize),
                steps,
                batch,
                accumulate,
                new LearningRateSchedule(learningRate, floor, warmUp, steps),
                beta1,
                beta2,
                weightDecay,
                clip,
                evalEvery,
                evalBlocks,
                matmul(saved),
                seed);
    }

    /** The one asked for; a resumed run keeps its own rather than what is faster today. */
    private Matmul matmul(TrainingState.@Nullable Saved saved) {
        if (!matmul.equals("auto")) {
            return Matmul.named(matmul);
        }
        String before = saved == null ? null : saved.settings().get(PretrainConfig.MATMUL);
        return before == null ? Matmul.fastest() : Matmul.named(before);
    }

    private void announce(
            PretrainConfig config,
            TokenizedText tokens,
            int threadCount,
            TrainingState.Progress progress,
            PrintStream console) {
        settings(config, threadCount).forEach((name, value) -> console.printf("%-18s %s%n", name, value));
        double trained = (double) config.tokensPerStep() * config.steps();
        if (tokens.sources().size() > 1) {
            for (TokenizedText.Source source : tokens.sources()) {
                console.printf(
                        Locale.ROOT,
                        "%s: %s, %.1f %% of the blocks, %.1f epochs%n",
                        source.name(),
                        source.describe(),
                        100 * source.share(),
                        source.share() * trained / source.training().length());
            }
        }
        console.printf(
                Locale.ROOT,
                "%,d weights; %s; %,d tokens a step, %.1f epochs%n",
                config.model().parameters(),
                tokens.describe(),
                config.tokensPerStep(),
                trained / tokens.trainingTokens());
        if (progress.step() > 0) {
            console.printf("resuming after step %d%n", progress.step());
        }
    }

    /** All that was chosen, by its option's name. */
    private SequencedMap<String, String> settings(PretrainConfig config, int threadCount) {
        SequencedMap<String, String> settings = config.describe();
        settings.put("held-out", String.valueOf(data.heldOut()));
        settings.put("threads", String.valueOf(threadCount));
        return settings;
    }

    private String prompt() {
        return samplePrompt.replace("\\n", "\n");
    }

    private void writeSamples(Path file, Path best, Tokenizer tokenizer, PrintStream console) throws IOException {
        if (samples == 0) {
            return;
        }
        TextSampler sampler = new TextSampler(new GptModel(GptParameters.frozen(Checkpoint.open(best))), tokenizer);
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < samples; i++) {
            String sample =
                    sampler.sample(prompt(), sampleTokens, TextSampler.TEMPERATURE, TextSampler.TOP_P, seed + i);
            all.append("--- sample ").append(i + 1).append('\n').append(sample).append('\n');
        }
        console.print(all);
        Files.writeString(file, all);
    }
}
