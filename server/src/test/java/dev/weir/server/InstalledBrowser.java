package dev.weir.server;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * The Chromium that the tests of the page run in: one that is on the machine, else Debian's, which is installed where that is
 * possible. Where there is none, tests are skipped in words that nobody overlooks, or fail if {@code CI} is true.
 */
final class InstalledBrowser {
    /** Environment variable that names the browser's program; nothing else is looked for then. */
    static final String PROGRAM = "WEIR_TEST_BROWSER";

    private static final List<String> NAMES =
            List.of("chromium", "google-chrome-stable", "google-chrome", "chromium-browser", "chrome");
    private static final List<Path> USUAL_FOLDERS = Stream.of(
                    "/usr/bin", "/usr/local/bin", "/snap/bin", "/usr/lib/chromium", "/opt/google/chrome")
            .map(Path::of)
            .toList();
    private static final List<Path> USUAL_PROGRAMS = Stream.of("Google Chrome", "Chromium")
            .map(name -> Path.of("/Applications/" + name + ".app/Contents/MacOS/" + name))
            .toList();

    private static final Path APT_GET = Path.of("/usr/bin/apt-get");
    private static final Duration UPDATE_PATIENCE = Duration.ofMinutes(2);
    private static final Duration INSTALL_PATIENCE = Duration.ofMinutes(5);
    private static final Duration VERSION_PATIENCE = Duration.ofSeconds(30);

    private final Map<String, String> environment;
    private final PrintStream err;

    InstalledBrowser(Map<String, String> environment, PrintStream err) {
        this.environment = environment;
        this.err = err;
    }

    /** The program of a browser that starts; the test that calls this is skipped or fails if there is none. */
    Path program() {
        String named = environment.get(PROGRAM);
        if (named != null) {
            if (!starts(Path.of(named))) {
                throw missing(PROGRAM + " is \"" + named + "\", which is no browser that starts");
            }
            return Path.of(named);
        }
        Path found = find();
        if (found == null) {
            String refusal = install();
            found = find();
            if (found == null) {
                throw missing("no Chromium or Chrome is on the PATH or in the usual places, and " + refusal);
            }
        }
        return found;
    }

    /** What to throw where no browser runs: it skips the test after saying so at length, or fails it where CI is true. */
    RuntimeException missing(String why) {
        String line = "*".repeat(100);
        err.println(String.join(
                System.lineSeparator(),
                line,
                "THE PAGE WAS NOT TESTED: there is no browser to show it in.",
                "Why:    " + why + ".",
                "Remedy: apt-get install chromium (Debian), or install Google Chrome, or name a browser's program in",
                "        " + PROGRAM + ". Where CI is true, as on a build server, this is a failure.",
                line));
        String message = "the page was not tested: " + why;
        if ("true".equalsIgnoreCase(environment.get("CI"))) {
            throw new AssertionError(message + "; CI is true, so this must not be skipped");
        }
        return new TestAbortedException(message);
    }

    private Path find() {
        String path = Objects.requireNonNullElse(environment.get("PATH"), "");
        Stream<Path> folders = Stream.concat(
                Arrays.stream(path.split(File.pathSeparator))
                        .filter(folder -> !folder.isEmpty())
                        .map(Path::of),
                USUAL_FOLDERS.stream());
        return Stream.concat(folders.flatMap(folder -> NAMES.stream().map(folder::resolve)), USUAL_PROGRAMS.stream())
                .filter(InstalledBrowser::starts)
                .findFirst()
                .orElse(null);
    }

    /** Whether this is a browser: some systems have a script of that name that only tells how to get one. */
    private static boolean starts(Path program) {
        if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
            return false;
        }
        Outcome outcome = run(List.of(program.toString(), "--version"), VERSION_PATIENCE);
        return outcome.isSuccess() && outcome.output().contains("Chrom");
    }

    /** Installs Debian's Chromium; why it could not, or what it said, for the case that none is found afterwards. */
    private String install() {
        if (!Files.isExecutable(APT_GET)) {
            return "there is no apt-get to install Debian's with";
        }
        if (!isRoot()) {
            return "Debian's cannot be installed by a user who is not root";
        }
        err.println("Installing Debian's chromium for the tests of the page; it takes a minute or so.");
        List<String> apt = List.of(APT_GET.toString(), "-q", "-o", "DPkg::Lock::Timeout=60");
        // Old lists may still do where new ones cannot be had, so it is the second command that counts.
        run(with(apt, "update"), UPDATE_PATIENCE);
        Outcome outcome = run(with(apt, "install", "-y", "--no-install-recommends", "chromium"), INSTALL_PATIENCE);
        return "apt-get " + (outcome.isSuccess() ? "installed none that starts: " : "could not install Debian's: ")
                + outcome.lastLine();
    }

    private static boolean isRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException | UnsupportedOperationException _) {
            return false;
        }
    }

    private static List<String> with(List<String> command, String... more) {
        List<String> whole = new ArrayList<>(command);
        whole.addAll(List.of(more));
        return whole;
    }

    private record Outcome(boolean isSuccess, String output) {
        String lastLine() {
            return output.lines()
                    .filter(line -> !line.isBlank())
                    .reduce((_, last) -> last.strip())
                    .orElse("no output");
        }
    }

    private static Outcome run(List<String> command, Duration patience) {
        Path output = null;
        try {
            output = Files.createTempFile("weir-browser", ".log");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(new File("/dev/null"))
                    .redirectOutput(output.toFile());
            builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
            Process process = builder.start();
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                process.descendants().forEach(ProcessHandle::destroy);
                process.destroy();
                return new Outcome(false, "it was not done after " + patience.toSeconds() + " s");
            }
            return new Outcome(process.exitValue() == 0, Files.readString(output));
        } catch (IOException e) {
            return new Outcome(false, e.getMessage());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            delete(output);
        }
    }

    private static void delete(Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException _) {
            // A log in the temporary folder harms nobody.
        }
    }
}
