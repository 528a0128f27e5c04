package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code weir train-bench}: how much the training loop costs beside the model's own step. Owned by the main thread.
 *
 * <p>Both take turns in one process, so that what else goes on in the machine hits both: a step of {@link Pretrainer}, and a
 * bare one, which is forward pass, backward pass and AdamW on blocks that were made before.
 */
@Command(
        name = "train-bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures a training step of the loop against the bare step of the model: speed and memory.")
final class TrainBenchCommand implements Callable<Integer> {
    private static final int TOKENS = 200_000;
    private static final int REPORTS = 10;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private LoopOptions loop = benchDefaults();

    @Option(
            names = "--turns",
            paramLabel = "N",
            description = "Turns that the two take, each of --steps steps (default: ${DEFAULT-VALUE}).")
    private int turns = 5;

    private static LoopOptions benchDefaults() {
        LoopOptions loop = new LoopOptions();
        loop.steps = 10;
        loop.batch = 4;
        return loop;
    }

    @Override
    public Integer call() throws IOException {
        model.check();
        loop.check();
        OptionChecks.atLeastOne("--turns", turns);
        Torch.configure(loop.threadCount());
        Path folder = Files.createTempDirectory("weir-train-bench-");
        try {
            BpeTrainer.train("", 257, List.of(TrainingData.END_OF_TEXT)).write(folder);
            return measure(Tokenizer.load(folder));
        } finally {
            AtomicFolder.deleteTree(folder);
        }
    }

    private int measure(Tokenizer tokenizer) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        int perTurn = loop.steps;
        loop.steps = (turns + 1) * perTurn;
        loop.evalEvery = Integer.MAX_VALUE;
        PretrainConfig config = loop.config(model.config(257), null);
        SplittableRandom random = new SplittableRandom(1);
        int[] tokens = random.ints(TOKENS, 0, 256).toArray();
        TokenizedText text =
                new TokenizedText(tokens, Arrays.copyOf(tokens, config.model().context() + 1), tokenizer);
        GptParameters bareParameters = new GptParameters(new RandomGptWeights(config.model(), 1));
        GptModel bareModel = new GptModel(bareParameters, config.matmul());
        AdamW bareOptimizer = new AdamW(bareParameters, config.beta1(), config.beta2(), config.weightDecay());
        TokenBatch batch =
                text.trainingBatch(1, 0, config.batch(), config.model().context());

        double[] whole = new double[turns * perTurn];
        double[] bare = new double[turns * perTurn];
        long[] memory = new long[turns + 1];
        int[] done = {0};
        Pretrainer.Listener listener = new Pretrainer.Listener() {
            @Override
            public void stepped(Pretrainer.StepReport report) {
                int step = done[0]++ - perTurn; // the first turn warms both up
                if (step >= 0) {
                    whole[step] = report.seconds();
                }
                if (done[0] % perTurn == 0) {
                    for (int i = 0; i < perTurn; i++) {
                        double seconds = bareStep(bareModel, bareOptimizer, batch);
                        if (step >= 0) {
                            bare[done[0] - 2 * perTurn + i] = seconds;
                        }
                    }
                    memory[done[0] / perTurn - 1] = residentBytes();
                }
            }

            @Override
            public void evaluated(Pretrainer run, Pretrainer.Evaluation evaluation, boolean best) {}

            @Override
            public void interrupted(Pretrainer run) {}
        };
        Pretrainer.start(config, text, listener).run(() -> false);
        out.printf(
                Locale.ROOT,
                "%s, batch %d, %s, %d threads: %d steps of each, taking turns%n",
                config.model(),
                config.batch(),
                config.matmul().label(),
                loop.threadCount(),
                whole.length);
        out.printf(Locale.ROOT, "step of the loop  %8.2f ms (median)%n", 1e3 * median(whole));
        out.printf(Locale.ROOT, "bare step         %8.2f ms%n", 1e3 * median(bare));
        out.printf(Locale.ROOT, "ratio             %8.3f%n", median(whole) / median(bare));
        StringBuilder resident = new StringBuilder("resident memory, MB");
        for (int i = 0; i < memory.length; i += Math.max(1, memory.length / REPORTS)) {
            resident.append(' ').append(memory[i] >> 20);
        }
        out.println(resident);
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    /** One step on a batch that is there already; returns its seconds. */
    private double bareStep(GptModel bare, AdamW optimizer, TokenBatch batch) {
        long started = System.nanoTime();
        optimizer.zeroGradients();
        try (PointerScope _ = new PointerScope()) {
            Tensor ids = Torch.longs(batch.ids(), batch.blocks(), batch.length());
            Tensor targets = Torch.longs(batch.targets(), batch.blocks(), batch.length());
            bare.loss(ids, targets, new Dropout(bare.config().dropout(), 1)).backward();
        }
        optimizer.step(1e-4);
        return (System.nanoTime() - started) / 1e9;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** Resident memory of this process; 0 where the system does not say. */
    private static long residentBytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        } catch (IOException e) {
            return 0; // another system than Linux
        }
        return 0;
    }
}
