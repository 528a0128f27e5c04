package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills a run at random moments, most of them while it saves. {@code -Dweir.kills=20} does it more often than a build has time for. */
class KilledRunTest {
    private static final int KILLS = Integer.getInteger("weir.kills", 3);
    private static final int STEPS = 40;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @Test
    void aRunThatIsKilledAtAnyMomentGoesOnFromAWholeCheckpoint() throws IOException, InterruptedException {
        Path data = Files.writeString(
                folder.resolve("data.txt"), "The miller turns the wheel and the stone.\n".repeat(300));
        Path killed = folder.resolve("killed");
        Path whole = folder.resolve("whole");
        Random random = new Random();
        int kills = 0;
        boolean hasState = false;
        while (kills < KILLS) {
            Process process = start(data, killed, hasState);
            try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
                String line;
                do {
                    line = output.readLine();
                    assertThat(line).as("the run goes on until it is killed").isNotNull();
                } while (!line.contains("validation loss"));
                // Saving is most of what it does, so most moments from here on are within a save.
                process.waitFor(random.nextInt(150), TimeUnit.MILLISECONDS);
            } finally {
                process.destroyForcibly().waitFor();
            }
            kills++;
            hasState = true;
            Checkpoint.open(RunFolder.last(killed));
            Checkpoint.open(RunFolder.best(killed));
        }
        finish(data, killed, true);
        finish(data, whole, false);
        Path weights = Path.of("last", Checkpoint.WEIGHTS);
        assertThat(Files.readAllBytes(killed.resolve(weights)))
                .as("bit for bit what an undisturbed run learns")
                .isEqualTo(Files.readAllBytes(whole.resolve(weights)));
    }

    private void finish(Path data, Path out, boolean resume) throws IOException, InterruptedException {
        Process process = start(data, out, resume);
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process start(Path data, Path out, boolean resume) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                TrainMain.class.getName()));
        command.addAll(List.of("pretrain", "--data", data.toString(), "--out", out.toString(), "--layers", "2"));
        command.addAll(List.of("--heads", "2", "--width", "256", "--context", "16", "--vocabulary", "270"));
        command.addAll(List.of("--batch", "2", "--eval-blocks", "2", "--eval-every", "1", "--samples", "0"));
        command.addAll(List.of("--matmul", "fp32", "--threads", "1", "--steps", String.valueOf(STEPS)));
        if (resume) {
            command.add("--resume");
        }
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }
}
