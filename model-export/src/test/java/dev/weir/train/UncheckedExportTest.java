package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine that has the exporter without libtorch: a process of its own, with a class path that lacks it. */
class UncheckedExportTest {
    @Test
    void libtorchNeedNotBeThere(@TempDir Path folder) throws IOException, InterruptedException {
        String out = folder.resolve("model").toString();
        assertThat(export("--random", "tiny", "--out", out)).contains("NoClassDefFoundError");
        assertThat(folder.resolve("model")).doesNotExist();

        assertThat(export("--random", "tiny", "--target", "cuda", "--unchecked", "--out", out))
                .contains("not checked: compared with nothing");
        assertThat(folder.resolve("model/model.onnx")).isRegularFile();
    }

    /** What it prints. */
    private static String export(String... arguments) throws IOException, InterruptedException {
        List<String> libraries = new ArrayList<>(
                Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator)));
        libraries.removeIf(library -> library.matches(".*(javacpp|pytorch|openblas|mkl).*\\.jar"));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(File.pathSeparator, libraries),
                TrainMain.class.getName(),
                "export"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }
}
