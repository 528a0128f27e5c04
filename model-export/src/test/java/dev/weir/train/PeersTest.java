package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeersTest {
    private static final int VOCABULARY = 257;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Tokenizer tokenizer;

    /** What one process has come to. */
    private record Outcome(boolean finished, List<Double> losses, List<Float> weights, int evaluations) {}

    @BeforeEach
    void oneThread() throws IOException {
        Torch.configure(1);
        BpeTrainer.train("", VOCABULARY, List.of("<|endoftext|>")).write(folder);
        tokenizer = Tokenizer.load(folder);
    }

    @Test
    void twoProcessesLearnWhatOneLearnsFromTheBlocksOfBoth() throws Exception {
        List<Outcome> two = together(2, config(6, 1, 2), () -> false);
        Outcome one = train(config(6, 2, 1), Peers.NONE, () -> false);
        assertThat(two.getFirst().weights).as("bit for bit").isEqualTo(two.getLast().weights);
        for (int step = 0; step < 6; step++) {
            assertThat(two.getFirst().losses.get(step)).isCloseTo(one.losses.get(step), within(1e-5));
        }
        for (int i = 0; i < one.weights.size(); i++) {
            assertThat(two.getFirst().weights.get(i)).isCloseTo(one.weights.get(i), within(1e-4f));
        }
        assertThat(two.getFirst().evaluations).isEqualTo(2);
        assertThat(two.getLast().evaluations).as("the first alone validates").isZero();
    }

    @Test
    void oneThatIsAskedToStopStopsTheOthersAtTheSameStep() throws Exception {
        int[] steps = {0};
        List<Outcome> two = together(2, config(9, 1, 2), () -> ++steps[0] > 3);
        assertThat(two).allMatch(outcome -> !outcome.finished && outcome.losses.size() == 3);
        assertThat(two.getFirst().weights).isEqualTo(two.getLast().weights);
    }

    @Test
    void theCommandStartsItsProcessesAndTheirRunGoesOnAfterAStop() throws IOException {
        Path data =
                Files.writeString(folder.resolve("data.txt"), "The miller turns the wheel and the stone.\n".repeat(60));
        String[] command = {
            "pretrain",
            "--data",
            data.toString(),
            "--out",
            folder.resolve("run").toString(),
            "--layers",
            "1",
            "--heads",
            "2",
            "--width",
            "32",
            "--context",
            "16",
            "--vocabulary",
            "270",
            "--batch",
            "2",
            "--steps",
            "4",
            "--samples",
            "0",
            "--threads",
            "1",
            "--processes",
            "2"
        };
        assertThat(TrainMain.run(command)).isZero();
        RunMetrics metrics = RunMetrics.read(folder.resolve("run/metrics.jsonl"));
        assertThat(metrics.steps()).hasSize(4);
        assertThat(folder.resolve("run/process-1.log")).content().doesNotContain("weir");
        assertThat(folder.resolve("run/best/README.md")).content().contains("processes 2");
        List<String> fewer = new ArrayList<>(List.of(command).subList(0, command.length - 2));
        fewer.add("--resume");
        assertThat(TrainMain.run(fewer.toArray(String[]::new))).isEqualTo(2);
        List<String> again = new ArrayList<>(List.of(command));
        again.add("--resume");
        assertThat(TrainMain.run(again.toArray(String[]::new))).isZero();
    }

    private List<Outcome> together(int size, PretrainConfig config, BooleanSupplier lastOnesStop) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(size)) {
            Peers.Meeting meeting = Peers.meet(LoopOptions.HERE, 0, 0);
            List<Future<Outcome>> outcomes = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                int rank = i;
                outcomes.add(threads.submit(() -> {
                    Torch.configure(1);
                    Peers.Meeting found = rank == 0 ? meeting : Peers.meet(LoopOptions.HERE, meeting.port(), rank);
                    try (Peers peers = found.join(rank, size)) {
                        return train(config, peers, rank == size - 1 ? lastOnesStop : () -> false);
                    }
                }));
            }
            List<Outcome> all = new ArrayList<>();
            for (Future<Outcome> outcome : outcomes) {
                all.add(outcome.get());
            }
            return all;
        }
    }

    private Outcome train(PretrainConfig config, Peers peers, BooleanSupplier stop) throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        TokenizedText text = new TokenizedText(
                random.ints(400, 0, 256).toArray(), random.ints(60, 0, 256).toArray(), tokenizer);
        List<Double> losses = new ArrayList<>();
        int[] evaluations = {0};
        Pretrainer.Listener listener = new Pretrainer.Listener() {
            @Override
            public void stepped(Pretrainer.StepReport report) {
                losses.add(report.loss());
            }

            @Override
            public void evaluated(Pretrainer run, Pretrainer.Evaluation evaluation, boolean best) {
                evaluations[0]++;
            }

            @Override
            public void interrupted(Pretrainer run) {}
        };
        Pretrainer run = Pretrainer.start(config, text, null, new RandomGptWeights(config.model(), 1), listener, peers);
        boolean finished = run.run(stop);
        Tensor values = run.parameters().values();
        List<Float> weights = new ArrayList<>();
        for (float value : Torch.read(values)) {
            weights.add(value);
        }
        return new Outcome(finished, losses, weights, evaluations[0]);
    }

    private static PretrainConfig config(int steps, int accumulate, int processes) {
        return new PretrainConfig(
                new GptConfig(1, 2, 32, 16, VOCABULARY, 0),
                steps,
                4,
                accumulate,
                new LearningRateSchedule(1e-3, 1e-4, 2, steps),
                0.9,
                0.99,
                0.1,
                1.0,
                3,
                8,
                Matmul.FP32,
                processes,
                null,
                11);
    }
}
