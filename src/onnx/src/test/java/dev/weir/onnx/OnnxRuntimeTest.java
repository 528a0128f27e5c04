package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxRuntimeTest {
    /** Opens a model and waits a moment; in a process of its own. */
    static final class OpenModel {
        private OpenModel() {}

        public static void main(String[] args) {
            OnnxModelRunner.open(ModelFolder.open(Path.of(args[0])), new RunnerOptions(1, 0, 0, 1))
                    .close();
            System.out.print("opened");
        }
    }

    /** Class paths are long; ONNX Runtime's reports to its maker crash on long command lines. */
    @Test
    void aLongCommandLineIsNoProblemAndNothingIsReported(@TempDir Path home) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-Duser.home=" + home,
                "-cp",
                System.getProperty("java.class.path"),
                "-Dfiller=" + "x".repeat(20_000),
                OpenModel.class.getName(),
                TinyModel.folder("tiny-fp32").toString());
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> name.startsWith("ORT_") || name.equals("CI"));
        environment.put("HOME", home.toString());
        environment.put("XDG_CACHE_HOME", home.resolve("cache").toString());
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        assertThat(output).isEqualTo("opened");
        assertThat(home).isEmptyDirectory();
    }
}
