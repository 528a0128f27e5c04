package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFolderTest {
    /** What a folder of another maker may look like: several end tokens, grouped heads, default names. */
    private static final String CONFIG = """
            {"model": {"context_length": 4096, "eos_token_id": [2, 7], "type": "llama", "vocab_size": 32000,
               "decoder": {"filename": "decoder.onnx", "head_size": 64, "hidden_size": 2048,
                 "num_attention_heads": 32, "num_key_value_heads": 4, "num_hidden_layers": 22,
                 "inputs": {"input_ids": "ids"}}},
             "search": {"do_sample": true, "temperature": 0.7, "top_k": 40, "top_p": 0.9}}
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void writeModel() throws IOException {
        Files.writeString(folder.resolve("decoder.onnx"), "");
        Files.writeString(folder.resolve("genai_config.json"), CONFIG);
    }

    @Test
    void aFolderSaysWhatARunnerMustKnow() {
        ModelFolder model = ModelFolder.open(folder);

        assertThat(model.name()).isEqualTo(folder.getFileName().toString());
        assertThat(model.modelFile()).isEqualTo(folder.toAbsolutePath().resolve("decoder.onnx"));
        assertThat(model.contextLength()).isEqualTo(4096);
        assertThat(model.vocabularySize()).isEqualTo(32000);
        assertThat(model.eosTokenIds()).containsExactly(2, 7);
        assertThat(model.layers()).isEqualTo(22);
        assertThat(model.kvHeads()).isEqualTo(4);
        assertThat(model.headSize()).isEqualTo(64);
        assertThat(model.names().inputIds()).isEqualTo("ids");
        assertThat(model.names().pastValue()).isEqualTo("past_key_values.%d.value");
        assertThat(model.search()).isEqualTo(new SearchDefaults(true, 0.7, 40, 0.9));
    }

    @Test
    void missingAndWrongFieldsAreNamedWithTheirFile() throws IOException {
        assertWrong("\"head_size\": 64,", "", "genai_config.json: model.decoder.head_size is missing");
        assertWrong("\"vocab_size\": 32000", "\"vocab_size\": \"many\"", "model.vocab_size is \"many\"");
        assertWrong("4096", "0", "model.context_length is 0 but must be a positive integer");
        assertWrong("[2, 7]", "[2, -7]", "model.eos_token_id is [2,-7]");
        assertWrong("0.7", "\"hot\"", "search.temperature is \"hot\" but must be a number");
        assertWrong(
                "decoder.onnx", "other.onnx", "model.decoder.filename is \"other.onnx\", but there is no such file");
        assertWrong("}}", "", "genai_config.json is not JSON");
    }

    @Test
    void aFolderWithoutAModelSaysWhatBelongsThere() throws IOException {
        assertThatThrownBy(() -> ModelFolder.open(folder.resolve("nowhere")))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("there is no model folder")
                .hasMessageContaining("nowhere");
        Files.delete(folder.resolve("genai_config.json"));
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("has no genai_config.json")
                .hasMessageContaining("weir export");
    }

    @Test
    void aModelMayHaveOneEndTokenOrNone() throws IOException {
        Files.writeString(folder.resolve("genai_config.json"), CONFIG.replace("[2, 7]", "2"));
        assertThat(ModelFolder.open(folder).eosTokenIds()).containsExactly(2);
        Files.writeString(folder.resolve("genai_config.json"), CONFIG.replace("\"eos_token_id\": [2, 7],", ""));
        assertThat(ModelFolder.open(folder).eosTokenIds()).isEmpty();
    }

    @Test
    void aGraphWithPagedAttentionIsToldByItsBlocksAndRefusedByTheCpu() throws IOException {
        assertThat(ModelFolder.open(folder).blockSize()).isZero();
        writePaged("\"block_size\": 128");
        assertThat(ModelFolder.open(folder).blockSize()).isEqualTo(128);
        assertThatThrownBy(() -> OnnxModelRunner.open(ModelFolder.open(folder), RunnerOptions.DEFAULT))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("was exported for cuda")
                .hasMessageContaining("--target cpu");
        assertThatThrownBy(() -> HeadRunner.open(ModelFolder.open(folder), "class_logits", 0, 1))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("was exported for cuda");
        writePaged("\"num_blocks\": 64");
        assertThat(ModelFolder.open(folder).blockSize()).isEqualTo(256);
        writePaged("\"block_size\": 0");
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("engine.dynamic_batching.block_size is 0 but must be a positive integer");
    }

    private void writePaged(String batching) throws IOException {
        Files.writeString(
                folder.resolve("genai_config.json"),
                CONFIG.replaceFirst("\\{", "{\"engine\": {\"dynamic_batching\": {" + batching + "}}, "));
    }

    private void assertWrong(String right, String wrong, String message) throws IOException {
        assertThat(CONFIG).contains(right);
        Files.writeString(folder.resolve("genai_config.json"), CONFIG.replace(right, wrong));
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(message);
    }
}
