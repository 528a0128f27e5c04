package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoraAdapter;
import ai.onnxruntime.OrtSession;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.ModelLoadException;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of an adapter after the run that trained it: export writes it for ONNX Runtime, which runs it with its base. */
class AdapterExportTest {
    private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();
    private static final List<String> OUTPUTS = List.of("logits", GptGraph.CLASS_LOGITS);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void withAnAdapterTheBaseIsTheMergedModelAndWithoutItself(GptConfig config) throws IOException, OrtException {
        GptWeights base = new NoisyGptWeights(config, 3);
        GptWeights tuned = SmallAdapters.withTokensAndHead(base, 2);
        Path checkpoint = checkpoint("base", base, 270);
        checkpoint("runs/reviews/best", tuned, 273);
        checkpoint("runs/plain/best", SmallAdapters.weights(base, 9), 270);
        done("export", "--checkpoint", checkpoint, "--precision", "fp32", "--out", folder.resolve("plain"));

        String adapters = folder.resolve("runs/reviews/best") + "," + folder.resolve("runs/plain/best");
        String said = done("export", "--checkpoint", checkpoint, "--adapter", adapters, "--out", folder.resolve("m"));

        assertThat(said)
                .contains("`reviews.onnx_adapter`, rank 3, alpha 5.0, against libtorch: ")
                .contains("`plain.onnx_adapter`, rank 3, alpha 5.0, against libtorch: ");
        assertThat(folder.resolve("m/README.md"))
                .content()
                .contains(
                        "- adapter `reviews.onnx_adapter`",
                        "  - head: classification, output `class_logits`",
                        "labels a, b, c");
        assertThat(folder.resolve("m/tokenizer.json")).hasContent(RandomTokenizer.json(273));
        assertThat(ModelFolder.open(folder.resolve("m")).vocabularySize()).isEqualTo(273);
        int[] text = SmallAdapters.text(tuned.config());
        text[0] = 270;
        text[text.length - 1] = 272;
        float[] expected = new LibtorchLogits(tuned).logits(text)[text.length - 1];
        float[] classes = new TaskModel(new GptModel(GptParameters.frozen(tuned)))
                .outputs(List.of(new TaskExample(new int[][] {text}, 0, false)))
                .getFirst();
        Map<String, float[]> active = run("m", "reviews", config, text);
        assertThat(active.get("logits")).containsExactly(expected, within(1e-3f));
        assertThat(active.get(GptGraph.CLASS_LOGITS)).containsExactly(classes, within(1e-3f));

        int[] old = SmallAdapters.text(config);
        float[] plain = new LibtorchLogits(SmallAdapters.weights(base, 9)).logits(old)[old.length - 1];
        assertThat(Arrays.copyOf(run("m", "plain", config, old).get("logits"), 270))
                .containsExactly(plain, within(1e-3f));
        Map<String, float[]> inactive = run("m", null, config, old);
        assertThat(Arrays.copyOf(inactive.get("logits"), 270))
                .isEqualTo(run("plain", null, config, old).get("logits"));
        assertThat(inactive.get(GptGraph.CLASS_LOGITS)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"fp32, fp32", "int8, fp32", "int8, int8"})
    void everyPrecisionIsComparedWithTheAdapterToo(String weights, String cache) throws IOException, OrtException {
        GptWeights base = new NoisyGptWeights(SmallGpts.GPT2, 3);
        Path checkpoint = checkpoint("base", base, 270);
        Path tuned = checkpoint("tuned", SmallAdapters.weights(base, 2), 270);
        List<Object> how = List.of("--checkpoint", checkpoint, "--precision", weights, "--kv", cache);

        String said = done("export", how, "--adapter", tuned, "--out", folder.resolve("m"));

        assertThat(said).contains("`tuned.onnx_adapter`", "against libtorch");
        if (cache.equals("fp32")) {
            done("export", how, "--out", folder.resolve("plain"));
            int[] text = SmallAdapters.text(SmallGpts.GPT2);
            float[] without = run("plain", null, SmallGpts.GPT2, text).get("logits");
            float[] with = run("m", "tuned", SmallGpts.GPT2, text).get("logits");
            assertThat(run("m", null, SmallGpts.GPT2, text).get("logits")).isEqualTo(without);
            assertThat(LogProbabilities.largestDifference(with, without)).isGreaterThan(0.1);
        }
    }

    @Test
    void withoutAdaptersTheGraphIsAsBefore() throws IOException {
        GptWeights base = new NoisyGptWeights(SmallGpts.GPT2, 3);

        assertThat(GptGraph.of(base, new GptGraphOptions(Precision.FP32))
                        .model("1")
                        .toString())
                .doesNotContain("lora");
    }

    @Test
    void anAdapterOfOtherWeightsIsRefusedAndNothingIsWritten() throws IOException {
        GptWeights base = new NoisyGptWeights(SmallGpts.GPT2, 3);
        Path checkpoint = checkpoint("base", base, 270);
        Path other = checkpoint("other", new NoisyGptWeights(SmallGpts.GPT2, 4), 270);
        Path tuned = checkpoint("tuned", SmallAdapters.weights(base, 2), 270);
        Path out = folder.resolve("m");

        refused(
                "--adapter is " + tuned + ", which was trained beside the weights of a base; --checkpoint is " + other,
                "export",
                "--checkpoint",
                other,
                "--adapter",
                tuned,
                "--out",
                out);
        refused("has no adapter_config.json", "export", "--checkpoint", checkpoint, "--adapter", other, "--out", out);
        refused(
                "would both be tuned.onnx_adapter",
                "export",
                "--checkpoint",
                checkpoint,
                "--adapter",
                tuned + "," + tuned,
                "--out",
                out);
        refused("random weights have none", "export", "--random", "tiny", "--adapter", tuned, "--out", out);
        refused(
                "--format is safetensors",
                "export",
                "--checkpoint",
                checkpoint,
                "--adapter",
                tuned,
                "--format",
                "safetensors",
                "--out",
                out);
        assertThat(out).doesNotExist();
    }

    @Test
    void aFileThatIsNoAdapterIsRefusedByName() throws IOException {
        Path checkpoint = checkpoint("base", new NoisyGptWeights(SmallGpts.GPT2, 3), 270);
        Path model = folder.resolve("m");
        done("export", "--checkpoint", checkpoint, "--out", model);
        Path file = Files.writeString(folder.resolve("bad.onnx_adapter"), "not one");

        assertThatThrownBy(() -> OnnxModelRunner.open(ModelFolder.open(model), RunnerOptions.DEFAULT, file))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(file + " is no adapter of ONNX Runtime");
    }

    @Test
    void adaptersAreCalledAfterTheirRuns() {
        assertThat(LoraAdapter.name(Path.of("runs/reviews/best"))).isEqualTo("reviews");
        assertThat(LoraAdapter.name(Path.of("runs/reviews/last/adapter"))).isEqualTo("reviews");
        assertThat(LoraAdapter.name(Path.of("/best"))).isEqualTo("best");
        assertThat(LoraAdapter.name(Path.of("my-gpt2-lora"))).isEqualTo("my-gpt2-lora");
    }

    /** The graph's outputs for the last of some tokens, in one prefill. */
    private Map<String, float[]> run(String model, @Nullable String adapter, GptConfig config, int[] tokens)
            throws OrtException {
        long[] ids = Arrays.stream(tokens).asLongStream().toArray();
        long[] positions = LongStream.range(0, ids.length).toArray();
        long[] mask = new long[ids.length];
        Arrays.fill(mask, 1);
        Map<String, OnnxTensor> inputs = new HashMap<>();
        inputs.put("input_ids", OnnxTensor.createTensor(ENVIRONMENT, new long[][] {ids}));
        inputs.put("position_ids", OnnxTensor.createTensor(ENVIRONMENT, new long[][] {positions}));
        inputs.put("attention_mask", OnnxTensor.createTensor(ENVIRONMENT, new long[][] {mask}));
        for (int layer = 0; layer < config.layers(); layer++) {
            for (String part : List.of("key", "value")) {
                float[][][][] empty = new float[1][config.heads()][ids.length][config.headSize()];
                inputs.put("past_key_values." + layer + "." + part, OnnxTensor.createTensor(ENVIRONMENT, empty));
            }
        }
        Path path = folder.resolve(model);
        Map<String, float[]> outputs = new HashMap<>();
        try (OrtSession session =
                        ENVIRONMENT.createSession(path.resolve("model.onnx").toString());
                OrtSession.RunOptions options = new OrtSession.RunOptions();
                AutoCloseable weights =
                        adapter == null ? () -> {} : activate(path.resolve(adapter + ".onnx_adapter"), options);
                OrtSession.Result result = session.run(inputs, options)) {
            assertThat(weights).isNotNull();
            for (String name : OUTPUTS) {
                if (result.get(name).isPresent()) {
                    float[] values = new float
                            [((OnnxTensor) result.get(name).get())
                                    .getFloatBuffer()
                                    .remaining()];
                    ((OnnxTensor) result.get(name).get()).getFloatBuffer().get(values);
                    outputs.put(name, values);
                }
            }
            return outputs;
        } catch (OrtException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private static OrtLoraAdapter activate(Path file, OrtSession.RunOptions options) throws OrtException {
        OrtLoraAdapter adapter = OrtLoraAdapter.create(file.toString());
        options.addActiveLoraAdapter(adapter);
        return adapter;
    }

    private void refused(String expected, Object... args) {
        StringWriter errors = new StringWriter();
        assertThat(execute(new StringWriter(), errors, args)).isEqualTo(2);
        assertThat(errors.toString()).contains(expected).doesNotContain("\tat ");
    }

    private String done(Object... args) {
        StringWriter output = new StringWriter();
        StringWriter errors = new StringWriter();
        assertThat(execute(output, errors, args)).as(errors.toString()).isZero();
        return output.toString();
    }

    private static int execute(StringWriter output, StringWriter errors, Object... args) {
        return TrainMain.commandLine()
                .setOut(new PrintWriter(output, true))
                .setErr(new PrintWriter(errors, true))
                .execute(Arrays.stream(args)
                        .flatMap(arg -> arg instanceof List<?> list ? list.stream() : List.of(arg).stream())
                        .map(String::valueOf)
                        .toArray(String[]::new));
    }

    private Path checkpoint(String name, GptWeights weights, int tokens) throws IOException {
        Path checkpoint = folder.resolve(name);
        Checkpoint.write(checkpoint, weights, OptionalInt.of(269));
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(tokens));
        Files.writeString(checkpoint.resolve("tokenizer_config.json"), RandomTokenizer.config(48));
        return checkpoint;
    }
}
