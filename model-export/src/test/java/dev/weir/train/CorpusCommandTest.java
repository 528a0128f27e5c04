package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class CorpusCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    private record Outcome(int exitCode, String output, String errors) {}

    @Test
    void theSameSeedGivesTheSameBytesInAnyLocaleAndAnotherSeedGivesOthers() throws IOException {
        assertThat(corpus("a", "--seed", "5").exitCode()).isZero();
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.of("tr"));
        try {
            assertThat(corpus("b", "--seed", "5").exitCode()).isZero();
        } finally {
            Locale.setDefault(before);
        }
        assertThat(corpus("c", "--seed", "6").exitCode()).isZero();
        for (String kind : List.of(".txt", ".chat.jsonl", ".held-out.jsonl")) {
            assertThat(folder.resolve("b" + kind)).hasSameBinaryContentAs(folder.resolve("a" + kind));
            assertThat(Files.mismatch(folder.resolve("c" + kind), folder.resolve("a" + kind)))
                    .isNotNegative();
        }
    }

    @Test
    void theTextHasTheTokensAskedForAndEndsEachDocument() throws IOException {
        assertThat(corpus("a", "--tokens", "100K").output()).contains("tokens of four bytes");
        String text = Files.readString(folder.resolve("a.txt"));
        assertThat(text.length() / 4).isBetween(98_000, 102_000);
        assertThat(text).endsWith("\n<|endoftext|>\n");
        assertThat(text.split("\n<\\|endoftext\\|>\n", -1)).hasSizeGreaterThan(200);
        String prose = text.lines()
                .filter(line -> !line.contains("{\"")) // declared functions, calls and what came back
                .collect(Collectors.joining("\n"))
                .replace(" ...", "");
        assertThat(prose).doesNotContain("{", "[|", "  ", " .", " ,", "null", "..\n");
    }

    @Test
    void aTokenizerCountsTheTokensExactly() throws IOException {
        corpus("a", "--tokens", "50K");
        String text = Files.readString(folder.resolve("a.txt"));
        BpeTrainer.Vocabulary vocabulary = BpeTrainer.train(text, 512, List.of("<|endoftext|>"));
        vocabulary.write(folder);
        assertThat(corpus("b", "--tokens", "50K", "--tokenizer", folder.toString())
                        .output())
                .contains("b.txt: 50,");
        int tokens = dev.weir.tokenizer.Tokenizer.load(folder)
                .encode(Files.readString(folder.resolve("b.txt")), true)
                .length;
        assertThat(tokens).isBetween(49_000, 51_000);
    }

    @Test
    void everyConversationIsJsonWhoseTurnsAlternate() throws IOException {
        corpus("a", "--chat-tokens", "60K");
        int calls = 0;
        for (String line : Files.readAllLines(folder.resolve("a.chat.jsonl"))) {
            JsonNode conversation = JSON.readTree(line);
            String last = "system";
            List<String> functions = new ArrayList<>();
            conversation
                    .path("tools")
                    .forEach(tool -> functions.add(tool.at("/function/name").asText()));
            for (JsonNode message : conversation.path("messages")) {
                String role = message.path("role").asText();
                assertThat(role)
                        .as(line)
                        .isIn(
                                switch (last) {
                                    case "system" -> List.of("system", "user");
                                    case "user" -> List.of("assistant");
                                    case "assistant" -> List.of("user");
                                    case "assistant call" -> List.of("tool");
                                    default -> List.of("assistant");
                                });
                last = role;
                if (message.has("tool_calls")) {
                    JsonNode call = message.at("/tool_calls/0");
                    assertThat(functions)
                            .as(line)
                            .contains(call.at("/function/name").asText());
                    assertThat(JSON.readTree(call.at("/function/arguments").asText())
                                    .isObject())
                            .isTrue();
                    assertThat(message.path("content").isNull()).isTrue();
                    last = "assistant call";
                    calls++;
                } else {
                    assertThat(message.path("content").asText()).as(line).isNotBlank();
                }
            }
            assertThat(last).as(line).isEqualTo("assistant");
        }
        assertThat(calls).isGreaterThan(20);
    }

    @Test
    void theHeldOutFileHasAHundredDifferentExercisesOfEachSkill() throws IOException {
        corpus("a");
        Map<String, Integer> exercises = new TreeMap<>();
        for (String line : Files.readAllLines(folder.resolve("a.held-out.jsonl"))) {
            JsonNode exercise = JSON.readTree(line);
            exercises.merge(exercise.path("skill").asText(), 1, Integer::sum);
            assertThat(exercise.path("answer").asText()).as(line).isNotEmpty();
            assertThat(exercise.path("messages").size()).isPositive();
        }
        assertThat(exercises)
                .containsKeys("pattern-0-shot", "pattern-1-shot", "pattern-4-shot", "memory-name", "tool-call");
        assertThat(exercises.values()).allMatch(count -> count >= 100);
    }

    @Test
    void whatCannotBeDoneIsRefusedByName() {
        refused(corpus("a", "--tokens", "many"), "--tokens is many", "500K or 60M");
        refused(corpus("a", "--tokens", "10"), "--tokens is 10", "at least 50000");
        refused(corpus("a", "--tokens", "99999999999999M"), "--tokens is 99999999999999M");
        refused(corpus("a", "--chat-tokens", "0"), "--chat-tokens is 0", "at least 1");
        refused(corpus("a", "--seed", "x"), "--seed", "'x'");
        refused(corpus("a", "--tokenizer", folder.toString()), "--tokenizer is", "no tokenizer.json");
        refused(corpus("missing/a"), "--out is", "create it first");
        refused(run("corpus", "--out", folder.toString()), "--out is", "name a file");
        String file = folder.resolve("a").toString();
        refused(run("corpus", "--out", file, "--chat", file), "--out, --chat and --held-out");
        refused(run("corpus", "--out", file, "--chat-tokens", "60K"), "--chat-tokens is 60K", "--chat");
        refused(run("corpus"), "--out=FILE");
        assertThat(folder).isEmptyDirectory();
    }

    private static void refused(Outcome outcome, String... parts) {
        assertThat(outcome.errors()).contains(parts).doesNotContain("\tat ");
        assertThat(outcome.exitCode()).isEqualTo(2);
    }

    private Outcome corpus(String name, String... more) {
        List<String> args = new ArrayList<>(List.of("corpus", "--tokens", "50K"));
        args.addAll(List.of("--out", folder.resolve(name + ".txt").toString()));
        args.addAll(List.of("--chat", folder.resolve(name + ".chat.jsonl").toString()));
        args.addAll(
                List.of("--held-out", folder.resolve(name + ".held-out.jsonl").toString()));
        args.addAll(Arrays.asList(more));
        return run(args.toArray(String[]::new));
    }

    private static Outcome run(String... args) {
        StringWriter output = new StringWriter();
        StringWriter errors = new StringWriter();
        CommandLine commandLine = TrainMain.commandLine().setOverwrittenOptionsAllowed(true);
        commandLine.setOut(new PrintWriter(output, true));
        commandLine.setErr(new PrintWriter(errors, true));
        return new Outcome(commandLine.execute(args), output.toString(), errors.toString());
    }
}
