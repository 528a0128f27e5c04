package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Does what this module's README tells a newcomer to do, command by command, as processes of their own. */
class ReadmeWalkTest {
    private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");
    private static final String FENCE = "```";
    private static final List<String> FLAGS = List.of(
            "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-XX:TieredStopAtLevel=1");

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @Test
    void theReadmesCommandsLeadFromATextFileToAServedChat() throws IOException, InterruptedException {
        Path serverLibraries = Path.of("../server/target/classpath");
        boolean isCi = "true".equals(System.getenv("CI"));
        assumeTrue(
                isCi || Files.isRegularFile(serverLibraries),
                "the server is not built: the README's commands were not tried; ./mvnw verify tries them");
        List<List<String>> commands = commands(Files.readString(Path.of("README.md")));
        assertThat(commands)
                .extracting(List::getFirst)
                .containsExactly("corpus", "pretrain", "chat-tune", "export", "serve");
        for (List<String> command : commands.subList(0, 4)) {
            run(command);
        }
        assertThat(folder.resolve("runs/base/report.html")).isNotEmptyFile();
        assertThat(folder.resolve("models/mine/README.md")).content().contains("./weir chat-tune", "./weir pretrain");
        String libraries = Files.readString(serverLibraries).strip();
        serve(
                commands.getLast(),
                Path.of("../server/target/classes").toAbsolutePath() + File.pathSeparator + libraries);
    }

    private void run(List<String> command) throws IOException, InterruptedException {
        Process process = start(System.getProperty("java.class.path"), TrainMain.class.getName(), command);
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as("%s: %s", command, output).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    private void serve(List<String> command, String classPath) throws IOException, InterruptedException {
        List<String> onAnyPort = new ArrayList<>(command);
        onAnyPort.addAll(List.of("--port", "0"));
        Process process = start(classPath, "dev.weir.server.ServerMain", onAnyPort);
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
                HttpClient client = HttpClient.newHttpClient()) {
            List<String> lines = new ArrayList<>();
            do {
                lines.add(output.readLine());
                assertThat(lines).doesNotContainNull();
            } while (!lines.getLast().startsWith("Weir is listening"));
            URI url = URI.create(lines.getLast().replaceFirst(".* ", ""));
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(url.resolve("/v1/chat/completions"))
                            .POST(
                                    HttpRequest.BodyPublishers.ofString(
                                            "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}], \"max_tokens\": 8}"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).contains("\"role\":\"assistant\"", "\"completion_tokens\":");
        } finally {
            process.destroyForcibly();
        }
    }

    private Process start(String classPath, String main, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(FLAGS);
        command.addAll(List.of("-cp", classPath, main));
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
    }

    /** The words after {@code ./weir} of the commands in the first block of code. */
    private static List<List<String>> commands(String readme) {
        List<List<String>> commands = new ArrayList<>();
        int start = readme.indexOf(FENCE) + FENCE.length();
        String block = readme.substring(start, readme.indexOf(FENCE, start));
        for (String line : block.strip().lines().toList()) {
            Matcher words = WORD.matcher(line.strip());
            List<String> command = new ArrayList<>();
            while (words.find()) {
                command.add(words.group(1) != null ? words.group(1) : words.group(2));
            }
            assertThat(command.removeFirst()).isEqualTo("./weir");
            commands.add(command);
        }
        return commands;
    }
}
