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
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class ChatTuneCommandTest {
    private static final String TALK =
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Which colour?\"}, {\"role\": \"assistant\", \"content\": \"red\"},"
                    + " {\"role\": \"user\", \"content\": \"And then?\"}, {\"role\": \"assistant\", \"content\": \"blue\"}]}\n";

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    private record Outcome(int exitCode, String errors) {}

    @BeforeEach
    void pretrain() throws IOException {
        Path data = write("data.txt", "The wheel turns red and blue and the mill turns the stone.\n".repeat(60));
        assertThat(run(pretraining(data, "base", ChatTemplates.CONTROL_TOKENS))).isEqualTo(new Outcome(0, ""));
    }

    @Test
    void aModelLearnsTheAnswersAndItsFolderHasTheTemplate() throws IOException {
        Path chat = write("chat.jsonl", TALK.repeat(40));
        assertThat(tune(chat, "--steps", "40", "--eval-every", "20", "--learning-rate", "1e-2", "--warm-up", "1"))
                .isEqualTo(new Outcome(0, ""));
        Path out = folder.resolve("chat");
        List<RunMetrics.Look> looks =
                RunMetrics.read(out.resolve("metrics.jsonl")).looks();
        assertThat(looks).extracting(RunMetrics.Look::step).containsExactly(0, 20, 40);
        assertThat(looks.getFirst().validationLoss()).isGreaterThan(4);
        assertThat(looks.getLast().validationLoss()).isLessThan(0.2);
        assertThat(looks).as("forgetting is measured").noneMatch(look -> Double.isNaN(look.plainLoss()));
        assertThat(out.resolve("best").resolve(ExportSource.CHAT_TEMPLATE)).hasContent(ChatTemplates.own());
        assertThat(out.resolve("best/README.md"))
                .content()
                .contains("Trained to answer as the assistant does", "loss on held-out messages", "| 0 |  | ");
        assertThat(out.resolve("report.html")).content().contains("loss on held-out messages");
        assertThat(out.resolve("samples.txt")).content().contains("<|user|>Which colour?<|endoftext|><|assistant|>red");
    }

    @Test
    void theExportedModelAnswersAsItLearnedTo() throws IOException {
        Path chat = write("chat.jsonl", TALK.repeat(40));
        assertThat(tune(chat, "--steps", "40", "--learning-rate", "1e-2", "--warm-up", "1", "--samples", "0"))
                .isEqualTo(new Outcome(0, ""));
        String model = folder.resolve("model").toString();
        assertThat(run(List.of(
                        "export", "--checkpoint", folder.resolve("chat/best").toString(), "--out", model)))
                .isEqualTo(new Outcome(0, ""));
        String user = "{\"role\": \"user\", \"content\": \"Which colour?\"}";
        Path exercises = write(
                "exercises.jsonl",
                "{\"skill\": \"a\", \"messages\": [" + user + "], \"answer\": \"red\"}\n"
                        + "{\"skill\": \"b\", \"messages\": [" + user + "], \"answer\": \"green\"}\n"
                        + "{\"skill\": \"a\", \"messages\": [" + user
                        + ", {\"role\": \"assistant\", \"content\": \"red\"}, {\"role\": \"user\", \"content\": \"And then?\"}],"
                        + " \"answer\": \"blue\"}\n");
        Path results = folder.resolve("results.json");
        assertThat(run(List.of("eval", "--model", model, "--chat", exercises.toString(), "--json", results.toString())))
                .isEqualTo(new Outcome(0, ""));
        JsonNode found = new ObjectMapper().readTree(results.toFile()).path("chat");
        assertThat(found.at("/skills/a/exact_match").asDouble()).isEqualTo(1);
        assertThat(found.at("/skills/b/exact_match").asDouble()).isZero();
        assertThat(found.at("/skills/b/mistakes/0/answer").asText()).isEqualTo("red");
        assertThat(run(List.of(
                                "eval",
                                "--model",
                                folder.resolve("chat/best").toString(),
                                "--chat",
                                exercises.toString()))
                        .errors())
                .contains("is a checkpoint: export it");
    }

    @Test
    void anAdapterLearnsTheAnswersBesideTheWeights() throws IOException {
        Path chat = write("chat.jsonl", TALK.repeat(40));
        assertThat(tune(
                        chat,
                        "--lora-rank",
                        "8",
                        "--steps",
                        "60",
                        "--learning-rate",
                        "3e-2",
                        "--warm-up",
                        "1",
                        "--samples",
                        "0",
                        "--eval-every",
                        "30"))
                .isEqualTo(new Outcome(0, ""));
        Path out = folder.resolve("chat");
        List<RunMetrics.Look> looks =
                RunMetrics.read(out.resolve("metrics.jsonl")).looks();
        assertThat(looks.getLast().validationLoss()).isLessThan(looks.getFirst().validationLoss() - 0.3);
        assertThat(out.resolve("best/adapter/adapter_config.json")).content().contains("\"r\"");
        String model = folder.resolve("model").toString();
        assertThat(run(List.of(
                        "export",
                        "--checkpoint",
                        folder.resolve("base/best").toString(),
                        "--adapter",
                        out.resolve("best").toString(),
                        "--out",
                        model)))
                .isEqualTo(new Outcome(0, ""));
        assertThat(folder.resolve("model"))
                .isDirectoryContaining(file -> file.toString().endsWith(".onnx_adapter"));
    }

    @Test
    void aRunIsTheSameEachTimeAndGoesOnWithItsOwnDataAlone() throws IOException {
        Path chat = write(
                "chat.jsonl",
                TALK.repeat(9) + TALK.replace("blue", "red and blue").repeat(9));
        String[] options = {"--steps", "6", "--eval-every", "3", "--dropout", "0.1", "--batch", "4", "--samples", "0"};
        assertThat(tune(chat, options)).isEqualTo(new Outcome(0, ""));
        Path out = folder.resolve("chat");
        byte[] weights = Files.readAllBytes(out.resolve("last").resolve(Checkpoint.WEIGHTS));
        Files.move(out, folder.resolve("whole"));

        assertThat(tune(chat, options)).isEqualTo(new Outcome(0, ""));
        assertThat(Files.readAllBytes(out.resolve("last").resolve(Checkpoint.WEIGHTS)))
                .isEqualTo(weights);
        List<String> resumed = new ArrayList<>(List.of(options));
        resumed.add("--resume");
        assertThat(tune(chat, resumed.toArray(String[]::new))).isEqualTo(new Outcome(0, ""));
        assertThat(Files.readAllBytes(out.resolve("last").resolve(Checkpoint.WEIGHTS)))
                .isEqualTo(weights);
        Path other = write("chat.jsonl", TALK.repeat(18));
        assertThat(tune(other, "--resume", "--steps", "6").errors()).contains("the data", "is not what the run");
    }

    @Test
    void aTokenizerWithoutTheTemplatesTokensIsRefused() throws IOException {
        Path chat = write("chat.jsonl", TALK.repeat(9));
        assertThat(run(pretraining(folder.resolve("data.txt"), "plain", List.of())))
                .isEqualTo(new Outcome(0, ""));
        Outcome outcome = run(List.of(
                "chat-tune",
                "--checkpoint",
                folder.resolve("plain/best").toString(),
                "--train",
                chat.toString(),
                "--out",
                folder.resolve("chat").toString()));
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.errors()).contains("no <|system|>", "--control-token '<|user|>'", "--chat-template");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', textBlock = """
            {"messages": []} ~ line 2: messages is []
            {"text": "hello"} ~ line 2: messages is missing
            {"messages": [{"role": "user", "content": "Hi"}]} ~ no message is the assistant's
            {"messages": [{"role": "bot", "content": "Hi"}]} ~ messages[0].role is "bot"
            {"messages": [{"role": "user"}, {"role": "assistant", "content": "Hi"}]} ~ messages[0].content is missing
            {"messages": [{"role": "assistant", "content": 3}]} ~ messages[0].content is 3
            {"messages": [{"role": "assistant", "content": "a"}], "tools": 3} ~ tools is 3
            {"messages" ~ line 2: is not valid JSON
            """)
    void aLineThatIsNoConversationIsNamed(String line, String complaint) throws IOException {
        Path chat = write("chat.jsonl", TALK + line + "\n" + TALK);
        Outcome outcome = tune(chat);
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.errors()).contains("chat.jsonl, line 2", complaint);
    }

    @Test
    void aTemplateThatRefusesAConversationNamesItsLine() throws IOException {
        Path template =
                write("mine.jinja", "{{ raise_exception('no') if messages | length > 2 else messages[0].content }}");
        Path chat = write("chat.jsonl", TALK.repeat(200));
        Outcome outcome = tune(chat, "--chat-template", template.toString());
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.errors()).contains("chat.jsonl, line ").containsAnyOf("no", "messages[1]");
    }

    private List<String> pretraining(Path data, String out, List<String> controlTokens) {
        List<String> arguments = new ArrayList<>(List.of("pretrain", "--data", data.toString(), "--out"));
        arguments.add(folder.resolve(out).toString());
        arguments.addAll(List.of("--layers", "1", "--heads", "2", "--width", "32", "--context", "64"));
        arguments.addAll(List.of("--vocabulary", "280", "--batch", "2", "--steps", "2", "--samples", "0"));
        arguments.addAll(List.of("--threads", "1", "--matmul", "fp32"));
        controlTokens.forEach(token -> arguments.addAll(List.of("--control-token", token)));
        return arguments;
    }

    private Outcome tune(Path chat, String... options) {
        List<String> arguments = new ArrayList<>(List.of("chat-tune", "--train", chat.toString(), "--held-out", "0.2"));
        arguments.addAll(List.of("--checkpoint", folder.resolve("base/best").toString()));
        arguments.addAll(List.of("--out", folder.resolve("chat").toString(), "--threads", "1", "--matmul", "fp32"));
        arguments.addAll(List.of("--sample-prompt", "Which colour?"));
        arguments.addAll(List.of(options));
        return run(arguments);
    }

    private static Outcome run(List<String> arguments) {
        StringWriter errors = new StringWriter();
        CommandLine commandLine = TrainMain.commandLine();
        commandLine.setErr(new PrintWriter(errors, true));
        int exitCode = commandLine.execute(arguments.toArray(String[]::new));
        return new Outcome(exitCode, errors.toString());
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
