package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
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
            names = "--words",
            paramLabel = "HOW",
            description =
                    "How the new tokenizer cuts text before it merges: gpt2, digits for the same with each digit by itself, "
                            + "or apart for spaces, digits and marks by themselves (default: ${DEFAULT-VALUE}).")
    String words = "gpt2";

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

    @Option(
            names = "--induction-heads",
            description =
                    "Let the first two layers begin with heads that copy what followed the same words before, and the "
                            + "rest with nothing: a short run then learns sooner to use its context.")
    boolean inductionHeads;

    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    LoopOptions loop = new LoopOptions();

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
        SamplePlan plan = new SamplePlan(samplePrompt.replace("\\n", "\n"), samples, sampleTokens, loop.seed);
        Peers.Meeting leader = loop.meetLeader(); // what follows it has then prepared
        if (leader == null) {
            RunFolder.require(folder, resume);
        }
        TrainingData text = data.read();
        TrainingState.Saved saved = resume ? TrainingState.load(RunFolder.last(folder), text.digests()) : null;
        Tokenizer tokenizer = tokenizer(text, folder, console);
        int threadCount = loop.threadCount();
        Torch.configure(threadCount);
        PretrainConfig config = loop.config(model.config(tokenizer.vocabularySize()), saved);
        TokenizedText tokens = text.tokenize(
                tokenizer,
                RunFolder.tokenizerSha256(folder),
                config.model(),
                data.tokenCache(folder, threadCount, console));

        TrainingCard card = new TrainingCard(
                TrainingCard.command(spec.commandLine().getParseResult().originalArgs()),
                TrainingCard.PREDICTING,
                text.describe() + ": " + tokens.describe(),
                "",
                settings(config, threadCount),
                init == null ? "" : TrainingCard.of(init));
        LoopRun run = new LoopRun(config, tokens, null, tokenizer, card, plan, console, loop.logEvery);
        return PeerProcesses.together(
                loop,
                leader,
                spec.commandLine().getParseResult().originalArgs(),
                folder,
                config.matmul(),
                peers -> run.run(folder, text.digest(), saved, () -> initial(config.model()), peers));
    }

    private GptWeights initial(GptConfig model) throws IOException {
        if (init == null) {
            return new RandomGptWeights(model, loop.seed, inductionHeads ? new InductionHeads(model) : null);
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
        loop.check();
        WordCut.named(words);
        if (init != null && tokenizerFolder != null) {
            throw new UserError("--init brings its tokenizer: leave out --tokenizer");
        }
        if (inductionHeads && init != null) {
            throw new UserError("--init brings its weights: leave out --induction-heads");
        }
        if (inductionHeads) {
            new InductionHeads(model.config(model.vocabularySize()));
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
    }

    /** The run's tokenizer, kept in its folder: the one of a resumed run, a given one, or one trained on the training part. */
    private Tokenizer tokenizer(TrainingData text, Path folder, PrintStream console) throws IOException {
        if (resume || !loop.leads()) {
            return Tokenizer.load(folder);
        }
        Files.createDirectories(folder);
        Path given = init == null ? tokenizerFolder : init;
        if (given == null) {
            try (TokenizerSample sample = new TokenizerSample(text.files(), TokenizerSample.MOST_BYTES)) {
                sample.describe().ifPresent(console::println);
                BpeTrainer.Vocabulary trained =
                        sample.train(model.vocabularySize(), controlTokens, WordCut.named(words));
                trained.shortfall().ifPresent(console::println);
                trained.write(folder);
            }
        } else {
            for (String name : RunFolder.TOKENIZER_FILES) {
                if (Files.isRegularFile(given.resolve(name))) {
                    AtomicFile.write(folder.resolve(name), Files.readAllBytes(given.resolve(name)));
                } else if (name.equals("tokenizer.json")) {
                    throw new UserError("the tokenizer's folder is " + given + ", which has no tokenizer.json");
                }
            }
        }
        return Tokenizer.load(folder);
    }

    /** All that was chosen, by its option's name. */
    private SequencedMap<String, String> settings(PretrainConfig config, int threadCount) {
        SequencedMap<String, String> settings = config.describe();
        settings.put("held-out", String.valueOf(data.heldOut()));
        settings.put("threads", String.valueOf(threadCount));
        return settings;
    }
}
