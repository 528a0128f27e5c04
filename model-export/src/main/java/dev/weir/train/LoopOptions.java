package dev.weir.train;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of the language-model loop, with their defaults; a command may set others before its options are read. */
final class LoopOptions {
    /** The address of this machine for itself. */
    static final String HERE = "127.0.0.1";

    @Option(names = "--steps", paramLabel = "N", description = "Optimizer steps (default: ${DEFAULT-VALUE}).")
    int steps = 2000;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description = "Blocks, or conversations, of a forward pass (default: ${DEFAULT-VALUE}).")
    int batch = 16;

    @Option(
            names = "--accumulate",
            paramLabel = "N",
            description = "Forward passes that make one step (default: ${DEFAULT-VALUE}).")
    int accumulate = 1;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "Learning rate after the warm-up (default: ${DEFAULT-VALUE}).")
    double learningRate = 1e-3;

    @Option(
            names = "--min-learning-rate",
            paramLabel = "RATE",
            description = "Learning rate of the last step (default: a tenth of --learning-rate).")
    @Nullable
    Double minLearningRate;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "Steps until the full learning rate (default: ${DEFAULT-VALUE}).")
    int warmUp = 100;

    @Option(names = "--beta1", paramLabel = "B", description = "AdamW's decay of the mean (default: ${DEFAULT-VALUE}).")
    double beta1 = 0.9;

    @Option(
            names = "--beta2",
            paramLabel = "B",
            description = "AdamW's decay of the variance (default: ${DEFAULT-VALUE}).")
    double beta2 = 0.99;

    @Option(
            names = "--weight-decay",
            paramLabel = "W",
            description = "Pull of matrices and embeddings towards zero (default: ${DEFAULT-VALUE}).")
    double weightDecay = 0.1;

    @Option(
            names = "--clip",
            paramLabel = "NORM",
            description = "Longest gradient followed unscaled (default: ${DEFAULT-VALUE}).")
    double clip = 1.0;

    @Option(
            names = "--eval-every",
            paramLabel = "N",
            description = "Steps between two validations; each also saves (default: ${DEFAULT-VALUE}).")
    int evalEvery = 250;

    @Option(
            names = "--eval-blocks",
            paramLabel = "N",
            description = "Most held-out blocks, or conversations, of one validation (default: ${DEFAULT-VALUE}).")
    int evalBlocks = 256;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of new weights, blocks and dropout (default: ${DEFAULT-VALUE}).")
    long seed = 1;

    @Option(
            names = "--processes",
            paramLabel = "N",
            description =
                    "Processes that train together, each on blocks of its own, so that a step learns from N times "
                            + "--batch. They are started here, unless --rank says which one this is (default: ${DEFAULT-VALUE}).")
    int processes = 1;

    @Option(
            names = "--rank",
            paramLabel = "R",
            description =
                    "Which of the --processes this is, where each is started by hand, here or on machines that see "
                            + "the same --out. Process 0 keeps the run.")
    @Nullable
    Integer rank;

    @Option(
            names = "--join",
            paramLabel = "HOST:PORT",
            description = "Where process 0 listens for the others, with --rank.")
    @Nullable
    String join;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of a process to train on (default: its share of all processors).")
    @Nullable
    Integer threads;

    @Option(
            names = "--matmul",
            paramLabel = "HOW",
            description = "Numbers that training multiplies matrices in: fp32, bf16, or auto for the faster on this "
                    + "machine (default: ${DEFAULT-VALUE}).")
    String matmul = "auto";

    @Option(
            names = "--log-every",
            paramLabel = "N",
            description = "Steps between two lines of progress (default: ${DEFAULT-VALUE}).")
    int logEvery = 10;

    /** Refuses what is wrong whatever the model. */
    void check() {
        if (!matmul.equals("auto")) {
            Matmul.named(matmul);
        }
        if (threads != null) {
            OptionChecks.atLeastOne("--threads", threads);
        }
        OptionChecks.atLeastOne("--log-every", logEvery);
        OptionChecks.atLeastOne("--processes", processes);
        if (rank != null && (rank < 0 || rank >= processes)) {
            throw new UserError("--rank is " + rank + ": it must be from 0 to below --processes, " + processes);
        }
        if ((rank == null) != (join == null)) {
            throw new UserError(
                    "--rank and --join belong together: give both, or neither to have the processes started " + "here");
        }
        if (rank != null && matmul.equals("auto")) {
            throw new UserError("--matmul is auto, which two machines may decide differently: with --rank give fp32 or "
                    + "bf16, to each process the same");
        }
        if (join != null && !join.matches(".+:[0-9]{1,5}")) {
            throw new UserError("--join is \"" + join + "\": give a host and a port, such as " + HERE + ":29500");
        }
    }

    int threadCount() {
        return threads == null ? Math.max(1, Runtime.getRuntime().availableProcessors() / processes) : threads;
    }

    /** Whether this process keeps the run: writes its files, validates and tells how it goes. */
    boolean leads() {
        return rank == null || rank == 0;
    }

    /** Waits for process 0, which prepares the run's files before it listens; nothing if this is it. */
    Peers.@Nullable Meeting meetLeader() {
        return rank == null || rank == 0 ? null : meet(rank);
    }

    /** The meeting that the address of {@code --join} names, or one on this machine. */
    Peers.Meeting meet(int asRank) {
        if (join == null) {
            return Peers.meet(HERE, 0, asRank);
        }
        int colon = join.lastIndexOf(':');
        return Peers.meet(join.substring(0, colon), Integer.parseInt(join.substring(colon + 1)), asRank);
    }

    /** The config of a run; one that is resumed keeps its own way to multiply rather than what is faster today. */
    PretrainConfig config(GptConfig model, TrainingState.@Nullable Saved saved) {
        return config(model, null, saved);
    }

    /** The same where only low-rank matrices learn. */
    PretrainConfig config(GptConfig model, @Nullable Lora lora, TrainingState.@Nullable Saved saved) {
        double floor = minLearningRate == null ? learningRate / 10 : minLearningRate;
        return new PretrainConfig(
                model,
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
                processes,
                lora,
                seed);
    }

    private Matmul matmul(TrainingState.@Nullable Saved saved) {
        if (!matmul.equals("auto")) {
            return Matmul.named(matmul);
        }
        String before = saved == null ? null : saved.settings().get(PretrainConfig.MATMUL);
        return before == null ? Matmul.fastest() : Matmul.named(before);
    }
}
