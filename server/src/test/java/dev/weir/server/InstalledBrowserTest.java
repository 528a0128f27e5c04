package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

final class InstalledBrowserTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    private Path folder;

    @Test
    void firstProgramOnThePathThatStartsIsTaken() throws IOException {
        Path broken = program("broken", "echo 'Get Chromium elsewhere.'; exit 1");
        Path other = program("other", "echo 'Lynx 2.9'");
        Path good = program("good", "echo 'Chromium 150.0'");
        String path =
                broken.getParent() + File.pathSeparator + other.getParent() + File.pathSeparator + good.getParent();
        assertThat(browser(Map.of("PATH", path)).program()).isEqualTo(good);
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void testWithoutABrowserIsSkippedAndTheReaderToldWhyAndWhatToDo() {
        assertThatThrownBy(() ->
                        browser(Map.of(InstalledBrowser.PROGRAM, "/no/browser")).program())
                .isInstanceOf(TestAbortedException.class)
                .hasMessageContaining("/no/browser");
        assertThat(err.toString(StandardCharsets.UTF_8))
                .contains("THE PAGE WAS NOT TESTED", "\"/no/browser\"", "apt-get install chromium");
    }

    @Test
    void testWithoutABrowserFailsOnABuildServer() {
        Map<String, String> environment = Map.of(InstalledBrowser.PROGRAM, "/no/browser", "CI", "true");
        assertThatThrownBy(() -> browser(environment).program())
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("/no/browser");
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("THE PAGE WAS NOT TESTED");
    }

    private InstalledBrowser browser(Map<String, String> environment) {
        return new InstalledBrowser(environment, new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    private Path program(String where, String does) throws IOException {
        Path program = Files.createDirectory(folder.resolve(where)).resolve("chromium");
        Files.writeString(program, "#!/bin/sh\n" + does + "\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        return program;
    }
}
