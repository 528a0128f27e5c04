package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class GgufTest {
    private static final GptConfig SMALL = new GptConfig(2, 2, 64, 24, 300, 0);

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void floatsComeBackBitForBitWithLayersTheOtherWayRound() throws IOException {
        GptWeights weights = new NoisyGptWeights(SMALL, 3);
        GgufFile file = write(weights, Precision.FP32);

        assertThat(file.tensors).hasSize(SMALL.tensorShapes().size() + 1);
        assertThat(file.floats("output.weight")).containsExactly(weights.tensor("wte.weight"));
        SMALL.tensorShapes()
                .forEach((name, shape) -> assertThat(file.floats(GgufModel.ggufName(name)))
                        .as(name)
                        .containsExactly(asStored(weights, name, shape)));
        assertThat(file.tensors.get("blk.1.attn_qkv.weight").shape()).containsExactly(64L, 192L);
        assertThat(file.tensors.get("token_embd.weight").shape()).containsExactly(64L, 300L);
        assertThat(file.tensors.get("blk.0.ffn_down.weight").shape()).containsExactly(256L, 64L);
        assertThat(file.end()).isEqualTo(Files.size(folder.resolve("model.gguf")));
    }

    @Test
    void eightBitsAreWithinHalfAScaleInMatricesAndExactElsewhere() throws IOException {
        GptWeights weights = new NoisyGptWeights(SMALL, 3);
        GgufFile file = write(weights, Precision.INT8);

        SMALL.tensorShapes().forEach((name, shape) -> {
            String stored = GgufModel.ggufName(name);
            float[] expected = asStored(weights, name, shape);
            float[] read = file.floats(stored);
            boolean isExact = shape.length == 1 || name.startsWith("wpe");
            assertThat(file.tensors.get(stored).type()).as(name).isEqualTo(isExact ? 0 : 8);
            for (int i = 0; i < expected.length; i++) {
                float allowed = isExact ? 0 : file.scale(stored, i) * 0.5001f;
                assertThat(Math.abs(read[i] - expected[i])).as(name).isLessThanOrEqualTo(allowed);
            }
        });
        assertThat(file.metadata).containsEntry("general.file_type", 7);
        assertThat(file.end()).isEqualTo(Files.size(folder.resolve("model.gguf")));
    }

    @Test
    void noMagnitudeIsOffByMoreThanHalfItsScale() {
        Random random = new Random(1);
        for (int exponent = -40; exponent <= 20; exponent++) {
            float[] block = new float[Block8.SIZE];
            for (int i = 0; i < block.length; i++) {
                block[i] = (float) Math.scalb(random.nextGaussian(), exponent);
            }
            byte[] bytes = Block8.quantise("x", block);
            float scale = Float.float16ToFloat((short) ((bytes[1] & 0xFF) << 8 | (bytes[0] & 0xFF)));
            for (int i = 0; i < block.length; i++) {
                assertThat(Math.abs(block[i] - scale * bytes[2 + i]))
                        .as("2^" + exponent)
                        .isLessThanOrEqualTo(scale * 0.5001f);
            }
        }
        assertThat(Block8.quantise("x", new float[32])).containsOnly((byte) 0);
        float[] huge = new float[32];
        huge[7] = 1e7f;
        assertThatThrownBy(() -> Block8.quantise("wte.weight", huge))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("\"wte.weight\" has a weight of magnitude 1.0E7");
    }

    @Test
    void theCommandWritesWhatTheModelIsAndItsTokens() throws IOException {
        assertThat(run("--random", "2/2/64/24/300", "--format", "gguf", "--precision", "int8", "--out", path("g")))
                .as(err.toString())
                .isZero();

        GgufFile file = new GgufFile(folder.resolve("g/model.gguf"));
        assertThat(file.metadata)
                .containsEntry("general.architecture", "gpt2")
                .containsEntry("general.name", "g")
                .containsEntry("gpt2.block_count", 2)
                .containsEntry("gpt2.context_length", 24)
                .containsEntry("gpt2.embedding_length", 64)
                .containsEntry("gpt2.feed_forward_length", 256)
                .containsEntry("gpt2.attention.head_count", 2)
                .containsEntry("gpt2.attention.layer_norm_epsilon", 1e-5f)
                .containsEntry("tokenizer.ggml.model", "gpt2")
                .containsEntry("tokenizer.ggml.pre", "gpt-2")
                .containsEntry("tokenizer.ggml.eos_token_id", 299);
        List<?> tokens = (List<?>) file.metadata.get("tokenizer.ggml.tokens");
        assertThat(tokens.get(299)).isEqualTo("<|endoftext|>");
        assertThat(tokens.get('a')).isEqualTo("a");
        List<?> kinds = (List<?>) file.metadata.get("tokenizer.ggml.token_type");
        assertThat(kinds.get(299)).isEqualTo(3);
        assertThat(kinds.get('a')).isEqualTo(1);
        assertThat((List<?>) file.metadata.get("tokenizer.ggml.merges")).hasSize(43);
        assertThat(folder.resolve("g/README.md")).content().contains("Q8_0");
    }

    @Test
    void idsThatTheTokenizerLacksAreUnusedTokens() throws IOException {
        GgufWriter writer = new GgufWriter();
        GgufTokenizer.add(writer, RandomTokenizer.json(280), 282);
        writer.write(folder.resolve("model.gguf"));

        GgufFile file = new GgufFile(folder.resolve("model.gguf"));
        assertThat(((List<?>) file.metadata.get("tokenizer.ggml.tokens")).get(281))
                .isEqualTo("[PAD281]");
        assertThat(((List<?>) file.metadata.get("tokenizer.ggml.token_type")).get(281))
                .isEqualTo(5);
    }

    @Test
    void whatLlamaCppCannotComputeIsRefusedByName() {
        assertThatThrownBy(() ->
                        write(new NoisyGptWeights(Preset.named("gpt1-mini").config(), 1), Precision.FP32))
                .hasMessageContaining("lacks the norms after each addition of a GPT-1");
        assertThatThrownBy(() -> write(new NoisyGptWeights(SMALL.withWindow(8), 1), Precision.FP32))
                .hasMessageContaining("lacks the banded layers of a GPT-3");
        assertThatThrownBy(() -> write(new NoisyGptWeights(SMALL.withOutputBias(), 1), Precision.FP32))
                .hasMessageContaining("lacks a bias in the output head");
        assertThatThrownBy(() -> write(new NoisyGptWeights(SMALL.withDirection(Direction.RTL), 1), Precision.FP32))
                .hasMessageContaining("lacks reading from right to left");
        GptWeights plain = new NoisyGptWeights(SMALL, 1);
        TaskHead head = new TaskHead(FinetuneTask.CLASSIFICATION, List.of("a", "b"));
        assertThatThrownBy(() -> write(GptWeights.of(SMALL, Optional.of(head), plain::tensor), Precision.FP32))
                .hasMessageContaining("lacks the head of a fine-tuned task");
        assertThatThrownBy(() -> write(new NoisyGptWeights(new GptConfig(1, 1, 48, 8, 300, 0), 1), Precision.INT8))
                .hasMessageContaining("width is 48: choose --precision fp32");
    }

    @ParameterizedTest
    @CsvSource({"DIGITS", "APART"})
    void aTokenizerThatCutsWordsOtherwiseIsRefused(WordCut cut) {
        String json = RandomTokenizer.json(300)
                .replaceFirst(
                        "\"pre_tokenizer\":\\{[^}]*}",
                        "\"pre_tokenizer\":{\"type\":\"Sequence\",\"of\":\"" + cut.label() + "\"}");
        assertThatThrownBy(() -> GgufTokenizer.add(new GgufWriter(), json, 300))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("the tokenizer's pre_tokenizer is");
    }

    @ParameterizedTest
    @CsvSource({"--precision,fp16", "--precision,bf16", "--precision,int4", "--kv,int8", "--top-p,0.5"})
    void optionsThatGgufHasNoPlaceForAreRefused(String option, String value) {
        assertThat(run("--random", "tiny", "--format", "gguf", option, value, "--out", path("g")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--format is gguf");
        assertThat(folder.resolve("g")).doesNotExist();
    }

    private GgufFile write(GptWeights weights, Precision precision) throws IOException {
        ExportSource random = ExportSource.random(weights.config(), 1);
        ExportSource source = new ExportSource(
                weights, OptionalInt.of(weights.config().vocabularySize() - 1), random.files(), "", "");
        GgufModel.write(folder.resolve("model.gguf"), "x", source, precision);
        return new GgufFile(folder.resolve("model.gguf"));
    }

    /** A tensor's values in the file's order: layers have a row for each output. */
    private static float[] asStored(GptWeights weights, String name, long[] shape) {
        float[] values = weights.tensor(name);
        if (shape.length == 1 || name.startsWith("w")) {
            return values;
        }
        int inputs = (int) shape[0];
        int outputs = (int) shape[1];
        float[] rows = new float[values.length];
        IntStream.range(0, values.length).forEach(i -> rows[i] = values[i % inputs * outputs + i / inputs]);
        return rows;
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private int run(String... arguments) {
        CommandLine commandLine =
                TrainMain.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return commandLine.execute(
                Stream.concat(Stream.of("export"), Stream.of(arguments)).toArray(String[]::new));
    }
}
