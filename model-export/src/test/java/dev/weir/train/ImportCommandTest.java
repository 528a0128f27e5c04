package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ImportCommandTest {
    private static final String GPT2 = """
            {"model_type": "gpt2", "activation_function": "gelu_new", "n_layer": 3, "n_head": 4, "n_embd": 64, "n_ctx": 48,
             "n_positions": 48, "vocab_size": 270, "layer_norm_epsilon": 1e-05, "n_inner": null, "eos_token_id": 269}
            """;
    private static final String GPT1 = """
            {"model_type": "openai-gpt", "afn": "gelu", "n_layer": 3, "n_head": 4, "n_embd": 64, "n_ctx": 48,
             "n_positions": 48, "vocab_size": 270, "resid_pdrop": 0.1, "n_special": 0}
            """;

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource({"GPT1, ''", "GPT1, transformer.", "GPT2, ''", "GPT2, transformer."})
    void weightsGoThroughImportAndExportBitForBit(Family family, String prefix) throws IOException {
        GptWeights weights = new NoisyGptWeights(family == Family.GPT1 ? SmallGpts.GPT1 : SmallGpts.GPT2, 1);
        Path source = foreign(weights, prefix);

        assertThat(run("import", "--from", source.toString(), "--out", path("imported")))
                .as(err.toString())
                .isZero();
        assertThat(run(
                        "export",
                        "--format",
                        "safetensors",
                        "--checkpoint",
                        path("imported"),
                        "--out",
                        path("exported")))
                .as(err.toString())
                .isZero();

        SafetensorsFile before = SafetensorsFile.open(source.resolve("model.safetensors"));
        SafetensorsFile after = SafetensorsFile.open(folder.resolve("exported/model.safetensors"));
        assertThat(after.names()).isEqualTo(weights.config().tensorShapes().keySet());
        for (String name : after.names()) {
            assertThat(after.shape(name)).as(name).isEqualTo(before.shape(prefix + name));
            assertThat(bits(after.floats(name))).as(name).isEqualTo(bits(before.floats(prefix + name)));
        }
        assertThat(folder.resolve("exported/tokenizer.json")).hasSameBinaryContentAs(source.resolve("tokenizer.json"));
        assertThat(folder.resolve("exported/README.md")).content().contains("Imported from source");
        assertThat(GptConfigFile.modelType(GptConfigFile.read(folder.resolve("exported"))))
                .isEqualTo(family == Family.GPT1 ? "openai-gpt" : "gpt2");
        assertThat(out.toString()).contains("tokenizer.json");
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void whatIsExportedIsImportedByteForByte(GptConfig config) throws IOException {
        Path checkpoint = folder.resolve("best");
        Checkpoint.write(checkpoint, new NoisyGptWeights(config, 2), OptionalInt.of(269));
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(270));
        String[] export = {
            "export", "--format", "safetensors", "--checkpoint", checkpoint.toString(), "--out", path("hf")
        };

        assertThat(run(export)).as(err.toString()).isZero();
        assertThat(run("import", "--from", path("hf"), "--out", path("again")))
                .as(err.toString())
                .isZero();

        for (String name : new String[] {"model.safetensors", "config.json", "tokenizer.json"}) {
            assertThat(folder.resolve("again").resolve(name)).hasSameBinaryContentAs(checkpoint.resolve(name));
        }
        assertThat(out.toString().contains("refuse its model_type")).isEqualTo(GptConfigFile.isOwn(config));
        assertThat(run(export)).isEqualTo(2);
        assertThat(err.toString()).contains("which exists");
    }

    @Test
    void theEndOfATextIsTakenFromTheConfigIfTheTokenizerDoesNotNameIt() throws IOException {
        Path source = foreign(new NoisyGptWeights(SmallGpts.GPT2, 1), "");

        assertThat(run("import", "--from", source.toString(), "--out", path("imported")))
                .isZero();

        assertThat(ExportSource.checkpoint(folder.resolve("imported")).endOfText())
                .hasValue(269);
    }

    @Test
    void filesInOtherFormatsAreRefusedByNameWithTheRemedy() throws IOException {
        refuses(
                "model.safetensors",
                "pytorch_model.bin",
                "has no model.safetensors but pytorch_model.bin",
                "save_pretrained");
        refuses(
                "model.safetensors",
                "model.safetensors.index.json",
                "has no model.safetensors but model.safetensors.index.json",
                "max_shard_size");
        refuses("tokenizer.json", "vocab.json", "has no tokenizer.json but vocab.json", "AutoTokenizer");
        refuses("config.json", "params.json", "has no config.json", "Hugging Face");
        assertThat(run("import", "--from", path("nowhere"), "--out", path("o"))).isEqualTo(2);
        assertThat(err.toString()).contains("nowhere, which is no folder");
    }

    @Test
    void aHeadOfItsOwnOrAnotherHeadIsRefused() throws IOException {
        GptWeights weights = new NoisyGptWeights(SmallGpts.GPT2, 1);
        Path untied = foreign(weights, "", Map.of("lm_head.weight", () -> new float[270 * 64]));
        assertThat(run("import", "--from", untied.toString(), "--out", path("o")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("\"lm_head.weight\" differs from the token embedding");

        Path classifier = foreign(weights, "", Map.of("score.weight", () -> new float[270 * 64]));
        assertThat(run("import", "--from", classifier.toString(), "--out", path("o")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("has a tensor \"score.weight\", which no GPT-2 has");
        assertThat(folder.resolve("o")).doesNotExist();
    }

    @Test
    void aTokenizerThatCannotBeUsedIsCopiedAndSaidToBeUseless() throws IOException {
        Path source = foreign(new NoisyGptWeights(SmallGpts.GPT1, 1), "");
        Files.writeString(
                source.resolve("tokenizer.json"),
                "{\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\",\"vocab\":{\"a</w>\":0},\"merges\":[]}}");

        assertThat(run("import", "--from", source.toString(), "--out", path("imported")))
                .isZero();

        assertThat(err.toString()).contains("cannot be used here", "end_of_word_suffix");
        assertThat(folder.resolve("imported/tokenizer.json")).hasSameBinaryContentAs(source.resolve("tokenizer.json"));
    }

    @Test
    void eightBitsAreNoSafetensors() {
        assertThat(run(
                        "export",
                        "--format",
                        "safetensors",
                        "--precision",
                        "int8",
                        "--random",
                        "tiny",
                        "--out",
                        path("o")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--format is safetensors", "leave out --precision");
    }

    private void refuses(String missing, String instead, String... words) throws IOException {
        Path source = foreign(new NoisyGptWeights(SmallGpts.GPT2, 1), "");
        Files.delete(source.resolve(missing));
        Files.createFile(source.resolve(instead));
        assertThat(run("import", "--from", source.toString(), "--out", path("o")))
                .isEqualTo(2);
        assertThat(err.toString()).contains(words);
    }

    private Path foreign(GptWeights weights, String prefix) throws IOException {
        return foreign(
                weights,
                prefix,
                Map.of(
                        "lm_head.weight",
                        () -> weights.tensor(weights.config().family().tokenEmbedding())));
    }

    /** A folder as Hugging Face's libraries write it, with the masks and the repeated head of older versions. */
    private Path foreign(GptWeights weights, String prefix, Map<String, Supplier<float[]>> more) throws IOException {
        Path source = folder.resolve("source");
        AtomicFolder.deleteTree(source);
        Files.createDirectory(source);
        Files.writeString(source.resolve("config.json"), weights.config().family() == Family.GPT1 ? GPT1 : GPT2);
        Files.writeString(source.resolve("tokenizer.json"), RandomTokenizer.json(270));
        SafetensorsWriter writer = new SafetensorsWriter();
        weights.config()
                .tensorShapes()
                .forEach((name, shape) -> writer.add(prefix + name, shape, () -> weights.tensor(name)));
        writer.add(prefix + "h.0.attn.bias", new long[] {1, 1, 4, 4}, () -> new float[16]);
        more.forEach((name, values) -> writer.add(name, new long[] {270, 64}, values));
        writer.write(source.resolve("model.safetensors"));
        return source;
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    private int run(String... arguments) {
        return TrainMain.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }
}
