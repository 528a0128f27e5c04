package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.onnx.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GenerationDefaultsTest {
    private static final Path MODEL = Path.of("../src/onnx/src/test/resources/models/tiny-fp32");

    @TempDir
    private Path folder;

    @BeforeEach
    void copyModel() throws IOException {
        for (String file : List.of("genai_config.json", "model.onnx")) {
            Files.copy(MODEL.resolve(file), folder.resolve(file));
        }
    }

    @Test
    void theSearchSectionOfTheModelsConfigurationIsTheDefault() throws IOException {
        assertThat(GenerationDefaults.load(ModelFolder.open(folder)))
                .isEqualTo(new GenerationDefaults(0.8, 0.95, 0, List.of()));
        Path config = folder.resolve("genai_config.json");
        Files.writeString(config, Files.readString(config).replace("\"do_sample\" : true", "\"do_sample\" : false"));
        assertThat(GenerationDefaults.load(ModelFolder.open(folder)).temperature())
                .isZero();
    }

    @Test
    void aGenerationConfigComesFirst() throws IOException {
        write("{\"temperature\": 0.3, \"top_k\": 5, \"stop_strings\": [\"END\"]}");
        assertThat(GenerationDefaults.load(ModelFolder.open(folder)))
                .isEqualTo(new GenerationDefaults(0.3, 1, 5, List.of("END")));
    }

    @Test
    void aValueOutOfRangeIsNamedWithItsFile() throws IOException {
        write("{\"temperature\": 3}");
        assertThatThrownBy(() -> GenerationDefaults.load(ModelFolder.open(folder)))
                .hasMessageContaining("generation_config.json: temperature is 3 but must be a number from 0.0 to 2.0");
        write("{\"temperature\": ");
        assertThatThrownBy(() -> GenerationDefaults.load(ModelFolder.open(folder)))
                .hasMessageContaining("generation_config.json is not JSON");
    }

    private void write(String json) throws IOException {
        Files.writeString(folder.resolve(GenerationDefaults.FILE), json);
    }
}
