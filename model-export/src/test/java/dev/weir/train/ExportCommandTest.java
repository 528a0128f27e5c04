package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.ModelLoadException;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import dev.weir.onnx.SearchDefaults;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class ExportCommandTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void aRandomModelBecomesAFolderThatSaysWhatItIs() throws IOException {
        int exit = run("--random", "1/2/32/24/300", "--seed", "5", "--out", path("model"));

        assertThat(exit).as(err.toString()).isZero();
        ModelFolder model = ModelFolder.open(folder.resolve("model"));
        assertThat(model.name()).isEqualTo("model");
        assertThat(model.contextLength()).isEqualTo(24);
        assertThat(model.vocabularySize()).isEqualTo(300);
        assertThat(model.eosTokenIds()).containsExactly(299);
        assertThat(model.layers()).isEqualTo(1);
        assertThat(model.kvHeads()).isEqualTo(2);
        assertThat(model.headSize()).isEqualTo(16);
        assertThat(model.search().doSample()).isTrue();
        assertThat(Tokenizer.load(folder.resolve("model")).vocabularySize()).isEqualTo(300);
        assertThat(folder.resolve("model/chat_template.jinja")).content().contains("message['content']");
        assertThat(folder.resolve("model/README.md"))
                .content()
                .startsWith("# model\n")
                .contains("seed 5")
                .contains("1 layers, 2 heads, width 32, context 24, vocabulary 300")
                .contains("checked against libtorch");
        assertThat(out.toString()).contains("against libtorch: 52 positions, largest logit difference");
        assertThat(children()).containsExactly("model");
    }

    @Test
    void aCheckpointKeepsItsTokenizerAndItsEndOfText() throws IOException {
        Path checkpoint = folder.resolve("best");
        GptWeights weights = new NoisyGptWeights(new GptConfig(1, 1, 16, 20, 280, 0.1), 4);
        Checkpoint.write(checkpoint, weights, OptionalInt.of(279));
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(280));
        Files.writeString(checkpoint.resolve("tokenizer_config.json"), RandomTokenizer.config(20));
        Files.writeString(checkpoint.resolve("README.md"), "## Training\n\nby candlelight\n");
        Path template = Files.writeString(folder.resolve("chat.jinja"), "{{ messages[0]['content'] }}");

        int exit = run(
                "--checkpoint",
                checkpoint.toString(),
                "--precision",
                "int8",
                "--chat-template",
                template.toString(),
                "--out",
                path("model"));

        assertThat(exit).as(err.toString()).isZero();
        assertThat(ModelFolder.open(folder.resolve("model")).eosTokenIds()).containsExactly(279);
        assertThat(folder.resolve("model/tokenizer.json")).hasContent(RandomTokenizer.json(280));
        assertThat(folder.resolve("model/README.md")).content().contains("checkpoint best", "by candlelight");
        assertThat(folder.resolve("model/chat_template.jinja")).hasSameTextualContentAs(template);
    }

    @Test
    void anEightBitCacheIsCalibratedAndClose() throws IOException {
        int exit = run("--random", "2/4/64/64/300", "--precision", "fp32", "--kv", "int8", "--out", path("model"));

        assertThat(exit).as(err.toString()).isZero();
        assertThat(folder.resolve("model/README.md")).content().contains("fp32 weights, int8 keys and values");
        try (OnnxModelRunner runner =
                OnnxModelRunner.open(ModelFolder.open(folder.resolve("model")), new RunnerOptions(1, 0, 0, 1))) {
            // 2 layers of keys and values, 64 tokens, width 64, one byte each
            assertThat(runner.cacheSize().bytes()).isEqualTo(2 * 2 * 64 * 64);
        }
        assertThat(children()).containsExactly("model");
    }

    @Test
    void aTokenizerLargerThanTheModelIsRefused() throws IOException {
        Path checkpoint = folder.resolve("best");
        Checkpoint.write(checkpoint, new RandomGptWeights(new GptConfig(1, 1, 8, 8, 270, 0), 1), OptionalInt.empty());
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(280));

        assertThat(run("--checkpoint", checkpoint.toString(), "--out", path("model")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("tokenizer.json has 280 tokens but the model only 270");
    }

    @Test
    void whatExistsIsReplacedOnlyWhenAskedForAndOnlyIfItIsAModel() throws IOException {
        assertThat(run("--random", "1/1/8/8/260", "--out", path("model"))).isZero();

        assertThat(run("--random", "1/1/16/8/260", "--out", path("model"))).isEqualTo(2);
        assertThat(err.toString()).contains("which exists").contains("--overwrite");
        assertThat(ModelFolder.open(folder.resolve("model")).headSize()).isEqualTo(8);

        assertThat(run("--random", "1/1/16/8/260", "--out", path("model"), "--overwrite"))
                .isZero();
        assertThat(ModelFolder.open(folder.resolve("model")).headSize()).isEqualTo(16);

        Files.createDirectory(folder.resolve("precious"));
        assertThat(run("--random", "1/1/16/8/260", "--out", path("precious"), "--overwrite"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("precious, which holds no model.onnx");
        assertThat(children()).containsExactlyInAnyOrder("model", "precious");
    }

    @Test
    void aModelThatFailsItsCheckLeavesNothingBehind() throws IOException {
        ExportSource source = ExportSource.random(Preset.named("tiny").config(), 1);

        assertThatThrownBy(() -> ModelFolderWriter.write(
                        folder.resolve("model"), source, new GptGraphOptions(Precision.FP32), draft -> {
                            assertThat(draft.resolve("model.onnx")).exists();
                            throw new IllegalStateException("not good");
                        }))
                .hasMessage("not good");

        assertThat(children()).isEmpty();
    }

    @Test
    void theCheckTellsOneModelFromAnother() throws IOException {
        assertThat(run("--random", "tiny", "--seed", "1", "--out", path("model")))
                .isZero();
        GptConfig tiny = Preset.named("tiny").config();
        ReferenceModel same = new ReferenceForward(new RandomGptWeights(tiny, 1));
        ReferenceModel other = new ReferenceForward(new RandomGptWeights(tiny, 2));
        List<int[]> texts = SelfWrittenText.write(folder.resolve("model"), 2, 12, 1);

        AcceptanceCheck good = AcceptanceCheck.of(folder.resolve("model"), same, texts);
        AcceptanceCheck bad = AcceptanceCheck.of(folder.resolve("model"), other, texts);

        assertThat(good.accepts(Precision.FP32)).as(good.toString()).isTrue();
        assertThat(good.accepts(Precision.INT8)).as(good.toString()).isTrue();
        assertThat(bad.accepts(Precision.FP32)).as(bad.toString()).isFalse();
        assertThat(bad.accepts(Precision.INT8)).as(bad.toString()).isFalse();
        AcceptanceCheck broken =
                new AcceptanceCheck(1, Double.NaN, Double.NaN, Double.NaN, 1, Double.NaN, OptionalDouble.empty());
        AcceptanceCheck brokenHead = new AcceptanceCheck(1, 0, 1, 0, 1, 0, OptionalDouble.of(Double.NaN));
        for (Precision precision : Precision.values()) {
            assertThat(good.accepts(precision)).as(precision.label()).isTrue();
            assertThat(broken.accepts(precision)).as(precision.label()).isFalse();
            assertThat(brokenHead.accepts(precision)).as(precision.label()).isFalse();
        }
    }

    @Test
    void whatDoesNotFitTheMachineIsRefusedBeforeAnythingIsMade() throws IOException {
        assertThat(run("--random", "gpt3-175b", "--out", path("model"))).isEqualTo(2);

        assertThat(err.toString())
                .contains("gpt3-175b takes about 2.10 TB of memory", "1.40 TB for ONNX Runtime", "--precision int8");
        assertThat(children()).isEmpty();

        ExportRoom room = ExportRoom.of(Preset.named("gpt2").config(), Precision.FP32);
        long weights = 4 * Preset.named("gpt2").config().parameters();
        assertThatCode(() -> room.require("gpt2", 3 * weights, weights)).doesNotThrowAnyException();
        assertThatThrownBy(() -> room.require("gpt2", 3 * weights - 1, weights))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("1.49 GB of memory");
        assertThatThrownBy(() -> room.require("gpt2", 3 * weights, weights - 1))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("498 MB left on its disk");
        ExportRoom halves = ExportRoom.of(Preset.named("gpt2").config(), Precision.FP16);
        assertThatCode(() -> halves.require("gpt2", 7 * weights / 2, weights / 2))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> halves.require("gpt2", 7 * weights / 2 - 1, weights / 2))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("1.74 GB of memory");
        assertThat(ExportRoom.of(Preset.named("gpt2").config(), Precision.INT4).stored())
                .isLessThan(weights / 6);
        assertThatThrownBy(() -> ExportRoom.of(Preset.named("gpt3-175b").config(), Precision.FP32)
                        .require("it", Long.MAX_VALUE, Long.MAX_VALUE))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("a tensor of 2.47 GB");
    }

    @ParameterizedTest
    @CsvSource({
        "gpt1-mini, fp32, fp32", "gpt2-mini, fp32, fp32", "gpt3-mini, fp32, fp32",
        "gpt1-mini, fp16, int8", "gpt2-mini, fp16, fp32", "gpt3-mini, fp16, int8",
        "gpt1-mini, int8, fp32", "gpt2-mini, int8, fp32", "gpt3-mini, int8, int8",
        "gpt1-mini, int4, int8", "gpt2-mini, int4, fp32", "gpt3-mini, int4, int8"
    })
    void everyFamilyIsExportedAndComparedBeyondItsWindow(String preset, String weights, String cache)
            throws IOException {
        int exit = run("--random", preset, "--precision", weights, "--kv", cache, "--out", path("model"));

        assertThat(exit).as(err.toString()).isZero();
        GptConfig config = Preset.named(preset).config();
        assertThat(GptConfigFile.read(folder.resolve("model"))).isEqualTo(config);
        int positions = 4 * ((64 + config.window()) / 2 + 1);
        assertThat(out.toString()).contains("against libtorch: " + positions + " positions");
        boolean rounded = weights.equals("fp16") || weights.equals("int4");
        assertThat(folder.resolve("model/README.md"))
                .content()
                .contains("A " + config.family().title() + " exported", config.shape())
                .contains(weights + " weights, " + cache + " keys and values")
                .matches(card -> card.contains("checked against libtorch with the weights as rounded") == rounded);
    }

    @ParameterizedTest
    @CsvSource({
        "gpt1-mini, fp16, fp16", "gpt2-mini, fp16, int8", "gpt3-mini, fp16, int8",
        "gpt1-mini, bf16, bf16", "gpt2-mini, bf16, bf16", "gpt3-mini, bf16, int8"
    })
    void everyFamilyIsExportedForCudaAndItsTwinCompared(String preset, String weights, String cache)
            throws IOException {
        List<String> arguments =
                new ArrayList<>(List.of("--random", preset, "--target", "cuda", "--out", path("model")));
        if (!weights.equals("fp16")) {
            arguments.addAll(List.of("--precision", weights));
        }
        if (!cache.equals(weights)) {
            arguments.addAll(List.of("--kv", cache));
        }
        assertThat(run(arguments.toArray(String[]::new))).as(err.toString()).isZero();

        assertThat(folder.resolve("model/README.md"))
                .content()
                .contains(weights + " weights, " + cache + " keys and values")
                .contains("target: cuda", "PagedAttention, over blocks of 256 tokens")
                .contains("same weights in " + weights, "nor its arithmetic in " + weights)
                .contains("twin against libtorch: ", "twin against libtorch with the weights as rounded")
                .contains("not checked: this graph itself")
                .doesNotContain("- checked against libtorch");
        ModelFolder model = ModelFolder.open(folder.resolve("model"));
        assertThat(model.blockSize()).isEqualTo(256);
        JsonNode config = new ObjectMapper()
                .readTree(folder.resolve("model/genai_config.json").toFile());
        assertThat(config.at("/model/decoder/session_options/provider_options/0/cuda")
                        .isObject())
                .isTrue();
        assertThat(config.at("/model/decoder/inputs/block_table").asText()).isEqualTo("block_table");
        assertThat(config.at("/model/decoder/inputs/attention_mask").isMissingNode())
                .isTrue();
        assertThat(children()).containsExactly("model");

        assertThatThrownBy(() -> OnnxModelRunner.open(model, new RunnerOptions(1, 0, 0, 1)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("was exported for cuda")
                .hasMessageContaining("export it again with --target cpu")
                .hasMessageContaining("run it with --device cuda");
    }

    @ParameterizedTest
    @CsvSource({"cpu, fp32, fp32", "cpu, int8, int8", "cuda, fp16, fp16", "cuda, fp16, int8", "cuda, bf16, bf16"})
    void anUncheckedModelIsTheSameButForItsCard(String target, String weights, String cache) throws IOException {
        String[] asked = {"--random", "tiny", "--target", target, "--precision", weights, "--kv", cache, "--out"};
        String[] checked = Arrays.copyOf(asked, asked.length + 1);
        checked[asked.length] = path("checked");
        String[] unchecked = Arrays.copyOf(asked, asked.length + 2);
        unchecked[asked.length] = path("unchecked");
        unchecked[asked.length + 1] = "--unchecked";
        assertThat(run(checked)).as(err.toString()).isZero();
        assertThat(run(unchecked)).as(err.toString()).isZero();

        for (String file : List.of("model.onnx", "genai_config.json", "config.json", "tokenizer.json")) {
            assertThat(folder.resolve("unchecked").resolve(file))
                    .hasSameBinaryContentAs(folder.resolve("checked").resolve(file));
        }
        assertThat(folder.resolve("unchecked/README.md"))
                .content()
                .contains("- not checked: compared with nothing, since it was exported with --unchecked\n")
                .doesNotContain("libtorch");
        assertThat(out.toString()).contains("not checked: compared with nothing");
        assertThat(children()).containsExactlyInAnyOrder("checked", "unchecked");
    }

    @ParameterizedTest
    @CsvSource({
        "cpu, fp32, fp32",
        "cpu, int8, int8",
        "cpu, int4, fp32",
        "cuda, fp16, fp16",
        "cuda, fp16, int8",
        "cuda, bf16, bf16",
        "cuda, bf16, int8"
    })
    void aLlamaIsExportedWithoutLibtorchAndSaysSo(String target, String weights, String cache) throws IOException {
        assertThat(run(
                        "--random",
                        "tiny-llama",
                        "--target",
                        target,
                        "--precision",
                        weights,
                        "--kv",
                        cache,
                        "--out",
                        path("model")))
                .as(err.toString())
                .isZero();

        assertThat(folder.resolve("model/README.md"))
                .content()
                .contains("A Llama exported", "2 heads of keys and values, hidden 128")
                .contains("- not checked: compared with nothing, since libtorch computes no Llama here\n");
        JsonNode genai = new ObjectMapper()
                .readTree(folder.resolve("model/genai_config.json").toFile());
        assertThat(genai.at("/model/decoder/num_attention_heads").asInt()).isEqualTo(4);
        assertThat(genai.at("/model/decoder/num_key_value_heads").asInt()).isEqualTo(2);
        assertThat(genai.at("/model/decoder/inputs/position_ids").isMissingNode())
                .isTrue();
        JsonNode config =
                new ObjectMapper().readTree(folder.resolve("model/config.json").toFile());
        assertThat(config.path("model_type").asText()).isEqualTo("llama");
        assertThat(config.path("num_key_value_heads").asInt()).isEqualTo(2);
        assertThat(config.at("/rope_scaling/factor").asDouble()).isEqualTo(32);
        if (target.equals("cpu")) {
            try (OnnxModelRunner runner =
                    OnnxModelRunner.open(ModelFolder.open(folder.resolve("model")), new RunnerOptions(1, 0, 0, 1))) {
                assertThat(runner.shape().vocabularySize()).isEqualTo(300);
            }
        }
    }

    @Test
    void aLlamaIsAGraphAloneAndNoCheckpoint() throws IOException {
        for (String format : List.of("safetensors", "gguf")) {
            assertThat(run("--random", "tiny-llama", "--format", format, "--out", path("model")))
                    .isEqualTo(2);
            assertThat(err.toString()).contains("--format is " + format + ", but tiny-llama is a Llama");
        }
        assertThat(children()).isEmpty();
        assertThat(run("--random", "tiny-llama", "--out", path("llama"))).isZero();
        assertThatThrownBy(() -> GptConfigFile.read(folder.resolve("llama")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("config.json: model_type is \"llama\"; only gpt2");
    }

    @Test
    void onlyRandomWeightsOfAGraphGoUnchecked() throws IOException {
        assertThat(run("--checkpoint", path("none"), "--unchecked", "--out", path("model")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--unchecked is for random weights", "leave it out with --checkpoint");
        assertThat(run("--random", "tiny", "--format", "gguf", "--unchecked", "--out", path("model")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--format is gguf, which is never compared");
        assertThat(children()).isEmpty();

        // Then neither ONNX Runtime nor libtorch asks for memory.
        ExportRoom room = ExportRoom.of(Preset.named("gpt2").config(), Precision.FP32);
        assertThatCode(() -> room.unchecked(false).require("gpt2", 0, room.stored()))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> room.unchecked(true).require("gpt2", 0, room.stored()))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("996 MB for ONNX Runtime, and 0 B are left");
    }

    @Test
    void whatATargetDoesNotTakeIsRefusedWithARemedy() throws IOException {
        for (String[] wrong : new String[][] {
            {
                "cuda",
                "--precision",
                "fp32",
                "--precision is fp32, but ONNX Runtime's attention on a GPU takes no float32"
            },
            {"cuda", "--precision", "int8", "--precision is int8, whose operators are there for the CPU alone"},
            {"cuda", "--precision", "int4", "--precision is int4, whose operators are there for the CPU alone"},
            {"cuda", "--precision", "int4", "choose fp16 or bf16"},
            {"cuda", "--kv", "fp32", "--kv is fp32, but ONNX Runtime's attention on a GPU takes no float32"},
            {"cuda", "--kv", "bf16", "--kv is bf16, but --precision is fp16", "choose fp16 or int8"},
            {"cuda", "--kv=fp16", "--precision=bf16", "--kv is fp16, but --precision is bf16", "choose bf16 or int8"},
            {
                "cuda-slots",
                "--precision",
                "fp32",
                "--precision is fp32, but ONNX Runtime's attention on a GPU takes no float32"
            },
            {"cpu", "--precision", "bf16", "--precision is bf16, which the CPU has no products for", "--target cuda"},
            {"cpu", "--kv", "bf16", "--kv is bf16, which the CPU has no attention for", "choose fp32 or int8"},
            {"cuda", "--format", "safetensors", "--format is safetensors", "leave out --target"},
            {"cpu", "--kv", "fp16", "--kv is fp16, which the CPU is slow with", "choose fp32 or int8"},
            {"tpu", "--kv", "fp32", "--target", "CPU, CUDA", "cuda-slots"}
        }) {
            assertThat(run("--random", "tiny", "--target", wrong[0], wrong[1], wrong[2], "--out", path("model")))
                    .isEqualTo(2);
            assertThat(err.toString()).contains(Arrays.copyOfRange(wrong, 3, wrong.length));
            assertThat(err.toString()).contains(wrong[0].equals("tpu") ? "tpu" : "choose");
            err.getBuffer().setLength(0);
        }
        Path base = Files.createDirectory(folder.resolve("base"));
        assertThat(run(
                        "--checkpoint",
                        base.toString(),
                        "--adapter",
                        base.toString(),
                        "--target",
                        "cuda",
                        "--out",
                        path("m")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("a graph for cuda has no inputs for adapters", "without --adapter");
        assertThat(children()).containsExactly("base");
    }

    @Test
    void weightsThatFourBitsDoNotHoldAreRefused() throws IOException {
        Path checkpoint = folder.resolve("best");
        GptWeights noisy = new NoisyGptWeights(new GptConfig(2, 4, 64, 48, 280, 0), 4);
        // One weight in each block so large that the others become zero, and predictions that depend much on those.
        GptWeights spiked = GptWeights.of(noisy.config(), name -> {
            float[] values = noisy.tensor(name);
            for (int i = 0; name.equals("wte.weight") && i < values.length; i += 32) {
                values[i] = 4;
            }
            for (int i = 0; name.equals("ln_f.weight") && i < values.length; i++) {
                values[i] = i % 32 == 0 ? 0 : 20;
            }
            return values;
        });
        Checkpoint.write(checkpoint, spiked, OptionalInt.of(279));
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(280));

        assertThat(run("--checkpoint", checkpoint.toString(), "--precision", "int4", "--out", path("model")))
                .isEqualTo(1);

        assertThat(err.toString())
                .contains("nothing was written: int4 loses too much of these weights")
                .contains("allowed for int4: mean divergence at most 0.2 nats");
        assertThat(out.toString()).isEmpty();
        assertThat(children()).containsExactly("best");
    }

    @Test
    void howItIsSampledAndItsLicenceAreWhatTheExportWasTold() throws IOException {
        int exit = run(
                "--random",
                "1/1/8/8/260",
                "--temperature",
                "0.65",
                "--top-p",
                "0.9",
                "--license",
                "Apache-2.0",
                "--out",
                path("model"));

        assertThat(exit).as(err.toString()).isZero();
        assertThat(ModelFolder.open(folder.resolve("model")).search())
                .isEqualTo(new SearchDefaults(true, 0.65, 0, 0.9));
        assertThat(folder.resolve("model/README.md"))
                .content()
                .contains("- served, unless a request says otherwise, with temperature 0.65, top_p 0.9\n")
                .contains("- licence: Apache-2.0\n");
        assertThat(folder.resolve("model/generation_config.json")).doesNotExist();

        assertThat(run("--random", "1/1/8/8/260", "--temperature", "0", "--out", path("greedy")))
                .isZero();
        assertThat(ModelFolder.open(folder.resolve("greedy")).search())
                .isEqualTo(new SearchDefaults(false, 1, 0, 0.95));
        assertThat(folder.resolve("greedy/README.md"))
                .content()
                .contains("with temperature 0.0\n")
                .doesNotContain("licence");
    }

    @Test
    void aCheckpointsOwnSamplingGivesWayOnlyWhereToldTo() throws IOException {
        Path checkpoint = folder.resolve("best");
        Checkpoint.write(checkpoint, new RandomGptWeights(new GptConfig(1, 1, 8, 8, 280, 0), 1), OptionalInt.empty());
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(280));
        String own = "{\"do_sample\": false, \"temperature\": 0.3, \"top_k\": 7, \"top_p\": 0.5}";
        Files.writeString(checkpoint.resolve("generation_config.json"), own);

        assertThat(run("--checkpoint", checkpoint.toString(), "--out", path("same")))
                .isZero();
        assertThat(folder.resolve("same/generation_config.json")).hasContent(own);

        assertThat(run("--checkpoint", checkpoint.toString(), "--temperature", "1.5", "--out", path("model")))
                .isZero();
        JsonNode changed = new ObjectMapper()
                .readTree(folder.resolve("model/generation_config.json").toFile());
        assertThat(changed.path("do_sample").asBoolean()).isTrue();
        assertThat(changed.path("temperature").asDouble()).isEqualTo(1.5);
        assertThat(changed.path("top_k").asInt()).isEqualTo(7);
        assertThat(changed.path("top_p").asDouble()).isEqualTo(0.5);

        Files.writeString(checkpoint.resolve("generation_config.json"), "{");
        assertThat(run("--checkpoint", checkpoint.toString(), "--top-p", "0.5", "--out", path("other")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("generation_config.json is not valid JSON");
    }

    @Test
    void samplingAndLicencesThatMakeNoSenseAreRefusedByName() throws IOException {
        for (String[] wrong : new String[][] {
            {"--temperature", "2.1", "--temperature is 2.1: it must be from 0 to 2"},
            {"--temperature", "-1", "--temperature is -1.0"},
            {"--temperature", "NaN", "--temperature is NaN"},
            {"--temperature", "hot", "'--temperature'"},
            {"--top-p", "0", "--top-p is 0.0: it must be above 0 and at most 1"},
            {"--top-p", "1.01", "--top-p is 1.01"},
            {"--license", " ", "--license is \" \": give one line"},
            {"--license", "MIT\n# Not a card", "give one line"},
        }) {
            assertThat(run("--random", "tiny", wrong[0], wrong[1], "--out", path("model")))
                    .isEqualTo(2);
            assertThat(err.toString()).contains(wrong[2]);
        }
        assertThat(run("--random", "tiny", "--format", "safetensors", "--top-p", "0.9", "--out", path("model")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("leave out --temperature and --top-p");
        assertThat(children()).isEmpty();
        assertThat(run("--random", "tiny", "--format", "safetensors", "--license", "MIT", "--out", path("hf")))
                .isZero();
        assertThat(folder.resolve("hf/README.md")).content().contains("- licence: MIT\n");
    }

    @Test
    void keysAndValuesHaveTheirOwnPrecisions() {
        assertThat(run("--random", "tiny", "--kv", "int4", "--out", path("model")))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains("--kv")
                .contains("[FP32, FP16, BF16, INT8]")
                .contains("int4");
    }

    @Test
    void shapesAreReadOrRefusedByName() {
        assertThat(ExportCommand.parseShape("6/6/384")).isEqualTo(new GptConfig(6, 6, 384, 1024, 50257, 0));
        assertThat(ExportCommand.parseShape("2/4/64/32/500")).isEqualTo(new GptConfig(2, 4, 64, 32, 500, 0));
        assertThat(run("--random", "2/4", "--out", path("model"))).isEqualTo(2);
        assertThat(run("--random", "2/x/64", "--out", path("model"))).isEqualTo(2);
        assertThat(run("--random", "gpt9", "--out", path("model"))).isEqualTo(2);
        assertThat(err.toString())
                .contains("--random is 2/4: give layers/heads/width")
                .contains("\"x\" is not a whole number")
                .contains("no preset \"gpt9\"", "gpt1, gpt2,");
        assertThat(run("--out", path("model"))).isEqualTo(2);
    }

    private int run(String... arguments) {
        CommandLine commandLine =
                TrainMain.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return commandLine.execute(
                Stream.concat(Stream.of("export"), Stream.of(arguments)).toArray(String[]::new));
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private List<String> children() throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.map(path -> path.getFileName().toString()).toList();
        }
    }
}
