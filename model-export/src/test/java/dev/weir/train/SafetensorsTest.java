package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @Test
    void valuesComeBackBitForBit() throws IOException {
        float[] values = {0f, -0f, Float.MIN_VALUE, Float.MAX_VALUE, Float.NaN, Float.NEGATIVE_INFINITY};
        Path path = folder.resolve("a.safetensors");
        new SafetensorsWriter()
                .add("x", new long[] {2, 3}, () -> values)
                .add("empty", new long[] {0}, () -> new float[0])
                .note("step", "7")
                .write(path);
        SafetensorsFile file = SafetensorsFile.open(path);
        assertThat(file.names()).containsExactly("x", "empty");
        assertThat(file.shape("x")).containsExactly(2, 3);
        assertThat(file.floats("x"))
                .usingComparator(SafetensorsTest::compareBits)
                .isEqualTo(values);
        assertThat(file.floats("empty")).isEmpty();
        assertThat(file.metadata()).containsEntry("step", "7");
    }

    @Test
    void theHeaderIsAsTheFormatSaysAndNoTemporaryFileStays() throws IOException {
        Path path = folder.resolve("a.safetensors");
        new SafetensorsWriter().add("x", new long[] {1}, () -> new float[] {1f}).write(path);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        long header = bytes.getLong(0);
        assertThat(header % 8).isZero();
        assertThat(bytes.get(8)).isEqualTo((byte) '{');
        assertThat(bytes.getFloat((int) (8 + header))).isEqualTo(1f);
        assertThat(bytes.limit()).isEqualTo(8 + header + 4);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(path);
        }
    }

    @Test
    void halfPrecisionIsWidened() throws IOException {
        String header = "{\"h\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]},"
                + "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[2,6]}}";
        SafetensorsFile file =
                SafetensorsFile.open(write(header, new byte[] {0, 0x3e, (byte) 0x80, 0x3f, 0x40, (byte) 0xc0}));
        assertThat(file.floats("h")).containsExactly(1.5f);
        assertThat(file.floats("b")).containsExactly(1f, -3f);
    }

    @Test
    void damagedFilesAreRefusedByName() throws IOException {
        byte[] four = new byte[4];
        List<Path> damaged = List.of(
                Files.write(folder.resolve("short"), new byte[] {1, 2, 3}),
                Files.write(
                        folder.resolve("huge"),
                        ByteBuffer.allocate(8).putLong(-1).array()),
                write("{\"x\":", four),
                write("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", four),
                write("{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", four),
                write("{\"x\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", four),
                write("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", four),
                write("{\"x\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", four),
                write("{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", four),
                write("{\"x\":{\"dtype\":\"F9\",\"shape\":[1],\"data_offsets\":[0,4]}}", four));
        for (Path path : damaged) {
            assertThatThrownBy(() -> SafetensorsFile.open(path))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining(path.toString());
        }
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void aCheckpointComesBackBitForBit(GptConfig config) throws IOException {
        GptWeights weights = new NoisyGptWeights(config, 3);
        Checkpoint.write(folder, weights, OptionalInt.of(256));
        Checkpoint checkpoint = Checkpoint.open(folder);
        assertThat(checkpoint.config()).isEqualTo(weights.config());
        for (String name : weights.config().tensorShapes().keySet()) {
            assertThat(checkpoint.tensor(name)).as(name).isEqualTo(weights.tensor(name));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void aCheckpointSavedWithItsHeadIsReadToo(GptConfig config) throws IOException {
        GptWeights weights = new NoisyGptWeights(config, 3);
        GptConfigFile.write(folder, weights.config(), OptionalInt.empty());
        SafetensorsWriter writer = new SafetensorsWriter();
        weights.config()
                .tensorShapes()
                .forEach((name, shape) -> writer.add(
                        name.startsWith("lm_head.") ? name : "transformer." + name, shape, () -> weights.tensor(name)));
        writer.write(folder.resolve(Checkpoint.WEIGHTS));
        Checkpoint checkpoint = Checkpoint.open(folder);
        for (String name : config.tensorShapes().keySet()) {
            assertThat(checkpoint.tensor(name)).as(name).isEqualTo(weights.tensor(name));
        }
    }

    @Test
    void onlyWhatHuggingFaceComputesBearsItsModelTypes() throws IOException {
        assertThat(configOf(SmallGpts.GPT1))
                .contains("\"openai-gpt\"", "\"afn\" : \"gelu\"", "OpenAIGPTLMHeadModel")
                .doesNotContain("activation_function", "attention_window", "output_bias");
        assertThat(configOf(SmallGpts.GPT2))
                .contains("\"gpt2\"", "\"activation_function\" : \"gelu_new\"", "GPT2LMHeadModel")
                .doesNotContain("attention_window", "output_bias");
        assertThat(configOf(SmallGpts.GPT3))
                .contains("\"weir-gpt3\"", "\"attention_window\" : 7")
                .doesNotContain("architectures");
        assertThat(configOf(SmallGpts.GPT1.withOutputBias())).contains("\"weir-gpt1\"", "\"output_bias\" : true");
        GptConfig backwards = SmallGpts.GPT1.withDirection(Direction.RTL);
        assertThat(configOf(backwards)).contains("\"openai-gpt\"", "\"direction\" : \"rtl\"");
        assertThat(GptConfigFile.read(folder)).isEqualTo(backwards);
        assertThat(configOf(SmallGpts.GPT2.withOutputBias())).contains("\"weir-gpt2\"", "\"output_bias\" : true");
    }

    private String configOf(GptConfig config) throws IOException {
        GptConfigFile.write(folder, config, OptionalInt.empty());
        return Files.readString(folder.resolve("config.json"));
    }

    @Test
    void aCheckpointThatDoesNotFitItsConfigIsRefused() throws IOException {
        GptConfig config = Preset.named("tiny").config();
        Checkpoint.write(folder, new RandomGptWeights(config, 3), OptionalInt.empty());
        GptConfigFile.write(folder, new GptConfig(2, 2, 64, 256, 300, 0), OptionalInt.empty());
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("wpe.weight")
                .hasMessageContaining("[128, 64]")
                .hasMessageContaining("[256, 64]");
        GptConfigFile.write(folder, new GptConfig(3, 2, 64, 128, 300, 0), OptionalInt.empty());
        assertThatThrownBy(() -> Checkpoint.open(folder)).hasMessageContaining("h.2.ln_1.weight");
    }

    @Test
    void configsOfOtherArchitecturesAreRefusedByField() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"llama\"}");
        assertThatThrownBy(() -> GptConfigFile.read(folder)).hasMessageContaining("model_type is \"llama\"");
        Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"gpt2\",\"n_embd\":\"wide\"}");
        assertThatThrownBy(() -> GptConfigFile.read(folder)).hasMessageContaining("n_embd is \"wide\"");
        Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"openai-gpt\",\"afn\":\"relu\"}");
        assertThatThrownBy(() -> GptConfigFile.read(folder)).hasMessageContaining("afn is \"relu\"");
        String shape = "\"n_layer\":2,\"n_head\":2,\"n_embd\":16,\"n_positions\":8,\"vocab_size\":9";
        Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"weir-gpt3\"," + shape + "}");
        assertThatThrownBy(() -> GptConfigFile.read(folder)).hasMessageContaining("window is 0");
        Files.writeString(folder.resolve("config.json"), "{\"direction\":\"down\"," + shape + "}");
        assertThatThrownBy(() -> GptConfigFile.read(folder)).hasMessageContaining("direction is \"down\"");
        Files.writeString(folder.resolve("config.json"), "{\"tie_word_embeddings\":false," + shape + "}");
        assertThatThrownBy(() -> GptConfigFile.read(folder)).hasMessageContaining("tie_word_embeddings is false");
        Files.writeString(folder.resolve("config.json"), "{");
        assertThatThrownBy(() -> GptConfigFile.read(folder)).hasMessageContaining("not valid JSON");
    }

    private Path write(String header, byte[] data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json).put(data);
        return Files.write(Files.createTempFile(folder, "damaged", ".safetensors"), file.array());
    }

    private static int compareBits(float[] a, float[] b) {
        int[] left = new int[a.length];
        int[] right = new int[b.length];
        for (int i = 0; i < a.length; i++) {
            left[i] = Float.floatToRawIntBits(a[i]);
        }
        for (int i = 0; i < b.length; i++) {
            right[i] = Float.floatToRawIntBits(b[i]);
        }
        return Arrays.compare(left, right);
    }
}
