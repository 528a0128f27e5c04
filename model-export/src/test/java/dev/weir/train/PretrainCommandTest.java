package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class PretrainCommandTest {
    private static final String LINE = "The miller turns the wheel and the wheel turns the stone.\n";

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    private record Outcome(int exitCode, String errors) {}

    @Test
    void trainsFromATextFileToAModelFolderAndResumes() throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        Outcome outcome = pretrain(data, "--steps", "6", "--eval-every", "3");
        assertThat(outcome).isEqualTo(new Outcome(0, ""));
        Path run = folder.resolve("run");
        assertThat(run.resolve("samples.txt")).isNotEmptyFile();
        assertThat(run.resolve("best/tokenizer.json")).isNotEmptyFile();
        assertThat(Checkpoint.open(run.resolve("best")).config().vocabularySize())
                .isEqualTo(280);
        assertThat(steps(run)).containsExactly(1, 2, 3, 3, 4, 5, 6, 6);
        assertThat(run.resolve("report.html")).content().contains("6 of 6", "data.txt (SHA-256", "learning-rate");
        assertThat(RunMetrics.read(run.resolve("metrics.jsonl")).looks())
                .hasSize(2)
                .noneMatch(look -> look.sample().isEmpty());
        String card = Files.readString(run.resolve("best/README.md"));
        assertThat(card).contains("./weir pretrain --data " + data, "--layers 1", "--steps 6", "data.txt (SHA-256");
        assertThat(card).contains("| 3 | ", "| 6 | ", "seed 1", "threads 1", "6 steps in", "--- sample 1");

        assertThat(pretrain(data, "--steps", "6", "--eval-every", "3").errors())
                .contains("--resume")
                .contains("holds a run already");
        assertThat(pretrain(data, "--steps", "6", "--eval-every", "3", "--resume"))
                .isEqualTo(new Outcome(0, ""));
        assertThat(run.resolve("best/README.md")).hasContent(card);
        assertThat(pretrain(data, "--steps", "6", "--eval-every", "2", "--resume")
                        .errors())
                .contains("--eval-every is 2")
                .contains("has 3");
        assertThat(steps(run)).containsExactly(1, 2, 3, 3, 4, 5, 6, 6);
    }

    @ParameterizedTest
    @CsvSource({"gpt1-mini, GPT1, 0", "gpt2-mini, GPT2, 0", "gpt3-mini, GPT3, 64"})
    void aPresetGivesWhatNoOptionSays(String preset, Family family, int window) throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        assertThat(pretrain(data, "--preset", preset, "--steps", "2", "--output-bias"))
                .isEqualTo(new Outcome(0, ""));
        Path best = folder.resolve("run/best");
        assertThat(Checkpoint.open(best).config())
                .isEqualTo(new GptConfig(family, 1, 2, 32, 16, 280, 0.1, window, true, Direction.LTR));
        assertThat(Files.readString(best.resolve("README.md"))).contains("family " + family.label());
    }

    @Test
    void aWindowMakesAGpt2AGpt3AndBack() throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        assertThat(pretrain(data, "--steps", "1", "--samples", "0", "--layers", "2", "--window", "4"))
                .isEqualTo(new Outcome(0, ""));
        assertThat(Checkpoint.open(folder.resolve("run/best")).config())
                .isEqualTo(new GptConfig(2, 2, 32, 16, 280, 0.2).withWindow(4));
        refused(pretrain(data, "--preset", "gpt1", "--window", "4"), "window is 4", "gpt1");
        refused(pretrain(data, "--preset", "gpt5"), "gpt5", "gpt2-xl");
    }

    @Test
    void aRunMayBeginWithTheWeightsOfAnother() throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        assertThat(pretrain(data, "--steps", "30", "--warm-up", "2").exitCode()).isZero();
        Path best = folder.resolve("run/best");
        Path next = folder.resolve("next");
        assertThat(pretrain(
                        data, "--steps", "1", "--init", best.toString(), "--out", next.toString(), "--dropout", "0"))
                .isEqualTo(new Outcome(0, ""));
        assertThat(losses(next).getFirst())
                .isLessThan(losses(folder.resolve("run")).getFirst() - 0.5);
        assertThat(next.resolve("best/README.md"))
                .content()
                .contains("--init " + best, "# Before that", "30 steps in", "1 steps in");
        refused(
                pretrain(
                        data,
                        "--init",
                        best.toString(),
                        "--out",
                        folder.resolve("other").toString(),
                        "--width",
                        "16"),
                "--init is " + best,
                "width 32",
                "width 16",
                "give the same shape");
    }

    @Test
    void theDirectionIsKeptWithTheModel() throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        assertThat(pretrain(data, "--steps", "1", "--direction", "rtl", "--sample-prompt", "stone."))
                .isEqualTo(new Outcome(0, ""));
        Path run = folder.resolve("run");
        assertThat(Checkpoint.open(run.resolve("best")).config().direction()).isEqualTo(Direction.RTL);
        assertThat(run.resolve("best/README.md")).content().contains("direction rtl", "--direction rtl");
        // What it writes comes before what it was given.
        assertThat(Files.readString(run.resolve("samples.txt")).strip()).endsWith("stone.");
        refused(pretrain(data, "--direction", "up"), "--direction", "up");
    }

    @Test
    void linesOfUnsavedStepsAreDroppedOnResume() throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        pretrain(data, "--steps", "2", "--samples", "0");
        Path metrics = folder.resolve("run/metrics.jsonl");
        Files.writeString(metrics, Files.readString(metrics) + "{\"step\":3,\"loss\":1}\n{\"step\":4,\"lo");
        assertThat(pretrain(data, "--steps", "2", "--samples", "0", "--resume").exitCode())
                .isZero();
        assertThat(steps(folder.resolve("run"))).containsExactly(1, 2, 2);
    }

    @Test
    void severalFilesAreTrainedOnByTheirWeightsAndTheRunKeepsToThem() throws IOException {
        Path text = write("data.txt", LINE.repeat(60));
        String lines = "{\"id\": 1, \"body\": \"The stone grinds the corn.\"}\n".repeat(40);
        String json = write("more.jsonl", lines).toString();
        List<String> options = List.of("--steps", "2", "--samples", "0", "--text-key", "body");
        assertThat(run(args(text + ":3", json + ":1", options))).isEqualTo(new Outcome(0, ""));
        Path run = folder.resolve("run");
        assertThat(run.resolve("best/README.md")).content().contains("data.txt (SHA-256", "more.jsonl (SHA-256");
        assertThat(run.resolve("tokens"))
                .isDirectoryContaining(file -> file.getFileName().toString().startsWith("more.jsonl-"));
        refused(run(args(text + ":3", json + ":2", options, "--resume")), "the data", "weights", "best/README.md");
        refused(run(args(text + ":3", json + ":1", options, "--resume", "--held-out", "0.2")), "--held-out");
        assertThat(run(args(text + ":6", json + ":2", options, "--resume"))).isEqualTo(new Outcome(0, ""));
    }

    private String[] args(String first, String second, List<String> options, String... more) {
        List<String> args = new ArrayList<>(List.of("--data", second));
        args.addAll(options);
        args.addAll(List.of(more));
        return arguments(first, args);
    }

    @Test
    void runsMayShareTheTokensOfATextAndATokenizer() throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        Path cache = folder.resolve("cache");
        String[] options = {"--steps", "1", "--samples", "0", "--token-cache", cache.toString()};
        assertThat(pretrain(data, options).exitCode()).isZero();
        String[] again = Arrays.copyOf(options, options.length + 2);
        again[options.length] = "--out";
        again[options.length + 1] = folder.resolve("next").toString();
        assertThat(pretrain(data, again).exitCode()).isZero();
        assertThat(cache).isDirectoryNotContaining("glob:**.tmp");
        try (Stream<Path> files = Files.list(cache)) {
            assertThat(files.filter(file -> file.toString().endsWith(".tokens")))
                    .hasSize(1);
        }
        assertThat(folder.resolve("run/tokens")).doesNotExist();
    }

    @Test
    void aRunOfBeforeThereWereSeveralFilesGoesOn() throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        pretrain(data, "--steps", "2", "--samples", "0");
        Path last = folder.resolve("run/last");
        String digest = TrainingData.read(List.of(data.toString()), "text", 0.1).digest();
        Path state = last.resolve(TrainingState.NAME);
        byte[] bytes = Files.readAllBytes(state);
        String header =
                new String(bytes, StandardCharsets.ISO_8859_1).replace(digest, Sha256.of(Files.readAllBytes(data)));
        Files.write(state, header.getBytes(StandardCharsets.ISO_8859_1));
        assertThat(pretrain(data, "--steps", "2", "--samples", "0", "--resume")).isEqualTo(new Outcome(0, ""));
    }

    @Test
    void badInputsAreOneLineThatNamesTheRemedy() throws IOException {
        Path data = write("data.txt", LINE.repeat(60));
        refused(pretrain(folder.resolve("missing.txt")), "missing.txt", "give a UTF-8 text file");
        refused(pretrain(write("empty.txt", "")), "empty.txt", "no text");
        refused(pretrain(write("short.txt", "a few words only")), "--context 16", "give more text");
        Path binary = Files.write(folder.resolve("latin1.txt"), new byte[] {'c', 'a', 'f', (byte) 0xe9, ' ', 'x'});
        refused(pretrain(binary), "latin1.txt", "byte 0xe9 at offset 3", "iconv");
        Path cut = Files.write(folder.resolve("cut.txt"), new byte[] {'a', (byte) 0xc3});
        refused(pretrain(cut), "byte 0xc3 at offset 1");
        refused(pretrain(data, "--heads", "3"), "width is 32", "heads = 3");
        refused(pretrain(data, "--dropout", "1"), "dropout is 1.0");
        refused(pretrain(data, "--steps", "0"), "--steps is 0");
        refused(pretrain(data, "--vocabulary", "100"), "256 bytes");
        refused(pretrain(data, "--held-out", "0"), "--held-out is 0.0");
        refused(run(arguments(data + ":0", List.of())), "data.txt:0", "weight is 0", "above 0");
        Path broken = write("broken.jsonl", "{\"text\": \"a\"}\n{\"text\": \n");
        refused(pretrain(broken), "broken.jsonl, line 2: is not valid JSON");
        refused(pretrain(broken, "--text-key", "body"), "broken.jsonl, line 1: has no \"body\"", "--text-key");
        refused(pretrain(data, "--control-token", "<|endoftext|>"), "--control-token is \"<|endoftext|>\"", "once");
        refused(pretrain(data, "--control-token", "a", "--tokenizer", "b"), "--control-token is a", "leave it out");
        refused(pretrain(data, "--matmul", "fp8"), "--matmul is \"fp8\"", "bf16");
        refused(pretrain(data, "--resume"), "start the run without --resume");
        refused(pretrain(data, "--tokenizer", folder.toString()), "no tokenizer.json");
        refused(pretrain(data, "--min-learning-rate", "1"), "minimum learning rate is 1.0");
    }

    @Test
    void anUnknownOptionIsRefusedWithTheNearestOne() {
        Outcome outcome = run("pretrain", "--data", "a", "--out", "b", "--step", "3");
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.errors()).contains("--step").contains("Possible solutions: --steps");
    }

    @Test
    void aMissingOptionIsNamed() {
        refused(run("pretrain", "--data", "a"), "--out=DIR");
    }

    private static void refused(Outcome outcome, String... parts) {
        assertThat(outcome.errors()).contains(parts).doesNotContain("\tat ");
        assertThat(outcome.exitCode()).isEqualTo(2);
    }

    private Outcome pretrain(Path data, String... more) {
        return run(arguments(data.toString(), List.of(more)));
    }

    private String[] arguments(String data, List<String> more) {
        List<String> args = new ArrayList<>(List.of("pretrain", "--data", data));
        args.addAll(List.of("--out", folder.resolve("run").toString()));
        args.addAll(List.of("--layers", "1", "--heads", "2", "--width", "32", "--context", "16", "--batch", "2"));
        args.addAll(List.of("--vocabulary", "280", "--threads", "1", "--samples", "1", "--sample-tokens", "4"));
        args.addAll(more);
        return args.toArray(String[]::new);
    }

    private static Outcome run(String... args) {
        StringWriter errors = new StringWriter();
        CommandLine commandLine = TrainMain.commandLine().setOverwrittenOptionsAllowed(true);
        commandLine.setErr(new PrintWriter(errors, true));
        return new Outcome(commandLine.execute(args), errors.toString());
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static List<Integer> steps(Path run) throws IOException {
        List<Integer> steps = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            JsonNode node = new ObjectMapper().readTree(line);
            steps.add(node.path("step").asInt());
        }
        return steps;
    }

    private static List<Double> losses(Path run) throws IOException {
        List<Double> losses = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            JsonNode node = new ObjectMapper().readTree(line);
            if (node.has("loss")) {
                losses.add(node.path("loss").asDouble());
            }
        }
        return losses;
    }
}
