package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LoraTest {
    private static final GptWeights BASE = new NoisyGptWeights(SmallGpts.GPT2, 3);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void theFirstStepSeesTheBase(GptConfig config) {
        GptWeights base = new NoisyGptWeights(config, 3);
        int[] text = SmallAdapters.text(config);

        GptWeights beside = new LoraWeights(base, new Lora(4, 8, "a base", base), 1);

        assertThat(logits(beside, text)).isDeepEqualTo(logits(base, text));
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void mergedAndSeparateAgree(GptConfig config) {
        GptWeights base = new NoisyGptWeights(config, 3);
        GptWeights beside = SmallAdapters.weights(base, 1);
        int[] text = SmallAdapters.text(config);

        GptWeights merged = Lora.merged(beside);

        assertThat(merged.tensorShapes().keySet())
                .containsExactlyElementsOf(config.tensorShapes().keySet());
        assertThat(SmallAdapters.difference(logits(merged, text), logits(beside, text)))
                .isLessThan(1e-4);
        assertThat(SmallAdapters.difference(logits(base, text), logits(beside, text)))
                .isGreaterThan(0.1);
        // The plain forward pass knows nothing of what stands beside a matrix.
        assertThat(SmallAdapters.difference(new ReferenceForward(merged).logits(text), logits(beside, text)))
                .isLessThan(1e-4);
    }

    @Test
    void aLoopOfAnyKindTrainsOnlyWhatStandsBeside() {
        GptParameters parameters = new GptParameters(new LoraWeights(BASE, new Lora(4, 8, "a base", BASE), 1));
        GptModel model = new GptModel(parameters);
        AdamW optimizer = new AdamW(parameters, 0.9, 0.999, 0.01);
        int[] text = SmallAdapters.text(SmallGpts.GPT2);
        long[] ids = new long[text.length - 1];
        long[] next = new long[text.length - 1];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = text[i];
            next[i] = text[i + 1];
        }
        double first = 0;
        double last = 0;
        for (int step = 0; step < 30; step++) {
            optimizer.zeroGradients();
            try (PointerScope _ = new PointerScope()) {
                Tensor loss =
                        model.loss(Torch.longs(ids, 1, ids.length), Torch.longs(next, 1, ids.length), Dropout.NONE);
                loss.backward();
                last = loss.item_float();
                first = step == 0 ? last : first;
            }
            optimizer.step(5e-3);
        }

        assertThat(last).isLessThan(0.8 * first);
        // The optimizer's memory is that of A and B: 3 blocks, rank 4, rows and columns of four matrices.
        long expected = 3 * 4 * (64 + 192 + 64 + 64 + 64 + 256 + 256 + 64);
        assertThat(parameters.gradients().numel()).isEqualTo(expected);
        assertThat(optimizer.mean().numel()).isEqualTo(expected);
        for (String name : parameters.tensorShapes().keySet()) {
            if (Lora.isName(name)) {
                assertThat(parameters.tensor(name)).as(name).isNotEqualTo(new float[parameters.tensor(name).length]);
            } else {
                assertThat(parameters.tensor(name)).as(name).isEqualTo(BASE.tensor(name));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void aCheckpointIsTheMergedModelAndHasTheAdapterByItself(GptConfig config) throws IOException {
        GptWeights base = new NoisyGptWeights(config, 3);
        GptWeights beside = SmallAdapters.withTokensAndHead(base, 2);
        Checkpoint.write(folder, beside, OptionalInt.empty());
        Files.writeString(folder.resolve("tokenizer.json"), RandomTokenizer.json(273));
        int[] text = SmallAdapters.text(beside.config());

        Checkpoint whole = Checkpoint.open(folder);
        LoraAdapter adapter = AdapterReader.read(folder, config);
        GptWeights again = adapter.mergedInto(WiderVocabulary.of(base, adapter.endOfTokens()));

        assertThat(SmallAdapters.difference(logits(whole, text), logits(beside, text)))
                .isLessThan(1e-4);
        assertThat(SmallAdapters.difference(logits(again, text), logits(beside, text)))
                .isLessThan(1e-4);
        assertThat(again.head()).contains(SmallAdapters.HEAD);
        assertThat(again.tensor(TaskHead.WEIGHT)).isEqualTo(beside.tensor(TaskHead.WEIGHT));
        assertThat(adapter.baseSha256()).contains(Lora.digest(base));
        assertThat(adapter.tokens()).containsExactly(270, 271, 272);
    }

    @Test
    void theFilesHavePeftsNamesAndShapes() throws IOException {
        AdapterFolder.write(folder, SmallAdapters.withTokensAndHead(BASE, 2));

        JsonNode config = new ObjectMapper()
                .readTree(folder.resolve("adapter_config.json").toFile());
        assertThat(config.path("peft_type").asText()).isEqualTo("LORA");
        assertThat(config.path("r").asInt()).isEqualTo(SmallAdapters.RANK);
        assertThat(config.path("lora_alpha").asDouble()).isEqualTo(SmallAdapters.ALPHA);
        assertThat(config.path("fan_in_fan_out").asBoolean()).isTrue();
        assertThat(config.path("target_modules"))
                .extracting(JsonNode::asText)
                .containsExactly("c_attn", "c_proj", "c_fc");
        assertThat(config.at("/trainable_token_indices/wte"))
                .extracting(JsonNode::asInt)
                .containsExactly(270, 271, 272);
        SafetensorsFile file = SafetensorsFile.open(folder.resolve("adapter_model.safetensors"));
        assertThat(file.shape("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight"))
                .containsExactly(SmallAdapters.RANK, 64);
        assertThat(file.shape("base_model.model.transformer.h.2.mlp.c_fc.lora_B.weight"))
                .containsExactly(256, SmallAdapters.RANK);
        assertThat(file.shape("base_model.model.transformer.wte.token_adapter.trainable_tokens_delta"))
                .containsExactly(3, 64);
        assertThat(file.names()).hasSize(3 * 4 * 2 + 1 + 2);
    }

    @Test
    void whatNoModelOfThisKindCanHaveIsRefusedByName() throws IOException {
        assertThatThrownBy(() -> AdapterReader.read(folder, SmallGpts.GPT2))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--adapter is " + folder)
                .hasMessageContaining("has no adapter_config.json")
                .hasMessageContaining("runs/NAME/best");
        AdapterFolder.write(folder, SmallAdapters.weights(BASE, 2));
        assertThat(AdapterReader.read(folder, SmallGpts.GPT2).matrices()).hasSize(12);

        refused(new GptConfig(3, 4, 32, 48, 270, 0), "for another model", "lora_A.weight", "[3, 64]", "[3, 32]");
        refused(new GptConfig(2, 4, 64, 48, 270, 0), "h.2.attn.c_attn.lora_A.weight", "no place");
        Path file = folder.resolve("adapter_config.json");
        ObjectNode config = (ObjectNode) new ObjectMapper().readTree(file.toFile());
        for (String change : List.of(
                "{\"use_dora\": true}",
                "{\"peft_type\": \"IA3\"}",
                "{\"alpha_pattern\": {\"c_fc\": 3}}",
                "{\"modules_to_save\": [\"wpe\"]}",
                "{\"r\": 0}",
                "{\"lora_alpha\": null}",
                "{\"bias\": \"all\"}")) {
            JsonNode part = new ObjectMapper().readTree(change);
            Files.writeString(file, config.deepCopy().setAll((ObjectNode) part).toString());
            refused(SmallGpts.GPT2, "adapter_config.json: " + part.fieldNames().next() + " is ");
        }
    }

    private void refused(GptConfig config, String... words) {
        assertThatThrownBy(() -> AdapterReader.read(folder, config))
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(words);
    }

    @Test
    void anAdapterOfPeftMayHaveSomeOfTheMatricesOnly() throws IOException {
        GptWeights beside = SmallAdapters.weights(BASE, 2);
        SafetensorsWriter writer = new SafetensorsWriter();
        for (int layer = 0; layer < 3; layer++) {
            String matrix = "h." + layer + ".attn.c_attn";
            String name = "base_model.model.transformer." + matrix;
            writer.add(
                    name + ".lora_A.weight",
                    new long[] {3, 64},
                    () -> LowRank.transposed(beside.tensor(Lora.a(matrix)), 64, 3, 1));
            writer.add(
                    name + ".lora_B.weight",
                    new long[] {192, 3},
                    () -> LowRank.transposed(beside.tensor(Lora.b(matrix)), 3, 192, 1));
        }
        writer.write(folder.resolve("adapter_model.safetensors"));
        Files.writeString(
                folder.resolve("adapter_config.json"),
                "{\"peft_type\": \"LORA\", \"r\": 3, \"lora_alpha\": 5, \"alpha_pattern\": {}, \"use_dora\": false,"
                        + " \"modules_to_save\": null, \"target_modules\": [\"c_attn\"]}");

        LoraAdapter adapter = AdapterReader.read(folder, SmallGpts.GPT2);

        assertThat(adapter.matrices().keySet())
                .containsExactly("h.0.attn.c_attn", "h.1.attn.c_attn", "h.2.attn.c_attn");
        assertThat(adapter.baseSha256()).isEmpty();
        GptWeights merged = adapter.mergedInto(BASE);
        assertThat(merged.tensor("h.1.attn.c_attn.weight"))
                .isEqualTo(Lora.merged(beside).tensor("h.1.attn.c_attn.weight"));
        assertThat(merged.tensor("h.1.mlp.c_fc.weight")).isEqualTo(BASE.tensor("h.1.mlp.c_fc.weight"));
    }

    @Test
    void newTokensAreUnlikelyBeforeTheyHaveLearned() {
        float[][] logits = logits(WiderVocabulary.of(BASE, 273), new int[] {1, 2, 3});

        for (float[] row : logits) {
            double mean = 0;
            for (int i = 0; i < 270; i++) {
                mean += row[i] / 270;
            }
            assertThat((double) row[271]).isCloseTo(mean, org.assertj.core.api.Assertions.within(1e-4));
        }
        assertThat(WiderVocabulary.of(BASE, 270)).isSameAs(BASE);
    }

    @Test
    void ranksThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> new Lora(0, 1, "a base", BASE))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--lora-rank is 0");
        assertThatThrownBy(() -> new Lora(65, 1, "a base", BASE))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--lora-rank is 65")
                .hasMessageContaining("width, 64");
        assertThatThrownBy(() -> new Lora(4, -2, "a base", BASE))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--lora-alpha is -2.0");
    }

    private static float[][] logits(GptWeights weights, int[] text) {
        return new LibtorchLogits(weights).logits(text);
    }
}
