package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The models that the runner's tests use are what the exporter writes today. After a wanted change of the graph, write them
 * anew: {@code ./mvnw test -pl model-export -am -Dtest=TestModelsTest -Dtests.regenerate=true
 * -Dsurefire.failIfNoSpecifiedTests=false}.
 */
class TestModelsTest {
    private static final Path CHECKED_IN = Path.of("../src/onnx/src/test/resources/models");

    /** Scales are measured when a model is exported, which here would make the files depend on the processor. */
    private static final KvScales KV_SCALES = new KvScales(new float[] {0.01f, 0.01f}, new float[] {0.01f, 0.01f});

    static Stream<Arguments> models() {
        return Stream.of(
                Arguments.of("tiny-fp32", new GptGraphOptions(Precision.FP32)),
                Arguments.of("tiny-int8", new GptGraphOptions(Precision.INT8)),
                Arguments.of("tiny-int4", new GptGraphOptions(Precision.INT4)),
                Arguments.of("tiny-int8-kv8", new GptGraphOptions(Precision.INT8).withKvScales(KV_SCALES)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void checkedInModelsAreUpToDate(String name, GptGraphOptions options, @TempDir Path temporary) throws IOException {
        requireUpToDate(name, ExportSource.random(Preset.named("tiny").config(), 1), options, temporary);
    }

    /** With the head of a task and the tokens that frame its texts. */
    @ParameterizedTest
    @EnumSource(
            value = FinetuneTask.class,
            names = {"CLASSIFICATION", "REGRESSION"})
    void checkedInHeadsAreUpToDate(FinetuneTask task, @TempDir Path temporary) throws IOException {
        GptConfig config = new GptConfig(2, 2, 32, 40, 273, 0);
        Path tokenizer = Files.createDirectory(temporary.resolve("tokenizer"));
        Files.writeString(tokenizer.resolve("tokenizer.json"), RandomTokenizer.json(270));
        Files.writeString(tokenizer.resolve("tokenizer_config.json"), RandomTokenizer.config(40));
        ExportSource source = new ExportSource(
                SmallTasks.weights(config, task),
                OptionalInt.of(RandomTokenizer.endOfText(270)),
                TaskTokens.addTo(tokenizer),
                "random weights",
                "");
        requireUpToDate("tiny-" + task.label(), source, new GptGraphOptions(Precision.FP32), temporary);
    }

    @Test
    void checkedInGraphForEmbeddingsIsUpToDate(@TempDir Path temporary) throws IOException {
        ExportSource source = ExportSource.random(new GptConfig(2, 2, 32, 40, 270, 0), 1);
        requireUpToDate("tiny-embeddings", source, new GptGraphOptions(Precision.FP32).withEmbeddings(true), temporary);
    }

    private static void requireUpToDate(String name, ExportSource source, GptGraphOptions options, Path temporary)
            throws IOException {
        boolean regenerate = Boolean.getBoolean("tests.regenerate");
        Path fresh = (regenerate ? CHECKED_IN : temporary).resolve(name);
        ModelFolderWriter.write(
                fresh, source, options, _ -> "A tiny GPT-2 with random weights, written by the exporter for tests.\n");

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
