package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The models that the runner's tests use are what the exporter writes today. After a wanted change of the graph, write them
 * anew: {@code ./mvnw test -pl model-export -am -Dtest=TestModelsTest -Dtests.regenerate=true
 * -Dsurefire.failIfNoSpecifiedTests=false}.
 */
class TestModelsTest {
    private static final Path CHECKED_IN = Path.of("../src/onnx/src/test/resources/models");

    @ParameterizedTest
    @EnumSource(Precision.class)
    void checkedInModelsAreUpToDate(Precision precision, @TempDir Path temporary) throws IOException {
        boolean regenerate = Boolean.getBoolean("tests.regenerate");
        String name = "tiny-" + precision.label();
        Path fresh = regenerate ? CHECKED_IN.resolve(name) : temporary.resolve(name);
        ModelFolderWriter.write(
                fresh,
                ExportSource.random(GptConfig.preset("tiny"), 1),
                new GptGraphOptions(precision, false),
                _ -> "A tiny GPT-2 with random weights, written by the exporter for tests.\n");

        assertThat(files(fresh)).isEqualTo(files(CHECKED_IN.resolve(name)));
        for (String file : files(fresh)) {
            assertThat(fresh.resolve(file))
                    .hasSameBinaryContentAs(CHECKED_IN.resolve(name).resolve(file));
        }
    }

    private static Set<String> files(Path folder) throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            Set<String> names = new TreeSet<>();
            paths.forEach(path -> names.add(path.getFileName().toString()));
            return names;
        }
    }
}
