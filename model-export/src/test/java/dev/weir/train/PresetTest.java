package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PresetTest {
    @ParameterizedTest
    @CsvSource({
        "gpt1, 116534784",
        "gpt2, 124439808",
        "gpt2-medium, 354823168",
        "gpt2-large, 774030080",
        "gpt2-xl, 1557611200",
        "llama-3.2-1b, 1235814400"
    })
    void publishedModelsHaveTheirNumberOfParameters(String name, long parameters) {
        assertThat(Preset.named(name).config().parameters()).isEqualTo(parameters);
    }

    @ParameterizedTest
    @CsvSource({
        "gpt3-small, 125e6", "gpt3-medium, 350e6", "gpt3-large, 760e6", "gpt3-xl, 1.3e9",
        "gpt3-2.7b, 2.7e9", "gpt3-6.7b, 6.7e9", "gpt3-13b, 13e9", "gpt3-175b, 175e9"
    })
    void gpt3HasTheRoundedSizesOfItsPaper(String name, double parameters) {
        GptConfig config = Preset.named(name).config();
        assertThat((double) config.parameters()).isCloseTo(parameters, Percentage.withPercentage(2));
        assertThat(config.family()).isEqualTo(Family.GPT3);
        assertThat(config.context()).isEqualTo(2048);
    }

    @Test
    void everyPresetCanBeExported() {
        for (Preset preset : Preset.ALL) {
            assertThat(preset.config().headSize() % 8).as(preset.name()).isZero();
        }
    }

    @Test
    void costsAreCountedFromTheShape() {
        // 2 layers: 16 x 48, 16 x 16, 16 x 64, 64 x 16 weights, 48 + 16 + 64 + 16 biases, 4 x 16 of norms each
        GptConfig config = new GptConfig(2, 2, 16, 4, 10, 0);
        int layer = 16 * 48 + 16 * 16 + 2 * 16 * 64;
        int small = 48 + 16 + 64 + 16 + 4 * 16;
        int total = 10 * 16 + 4 * 16 + 2 * (layer + small) + 2 * 16;
        ModelCost cost = new ModelCost(config);

        assertThat(config.parameters()).isEqualTo(total);
        assertThat(cost.weightBytes(Precision.FP32)).isEqualTo(4L * total);
        int scales = 10 + 2 * (48 + 16 + 64 + 16);
        assertThat(cost.weightBytes(Precision.INT8))
                .isEqualTo(10 * 16 + 2 * layer + 4 * scales + 4 * (4 * 16 + 2 * small + 2 * 16));
        assertThat(cost.weightBytes(Precision.FP16)).isEqualTo(2L * total);
        // A block of 32 takes 16 bytes and a scale; rows of 16 weights have one block, of 64 two.
        int blocks = 10 + 2 * (48 + 16 + 64 + 2 * 16);
        assertThat(cost.weightBytes(Precision.INT4)).isEqualTo(20 * blocks + 4 * (4 * 16 + 2 * small + 2 * 16));
        assertThat(cost.trainingBytes()).isEqualTo(16L * total);
        assertThat(cost.cacheBytes(CachePrecision.FP32)).isEqualTo(4 * 2 * 2 * 4 * 16);
        // On average of four tokens, 2.5 are attended to.
        double attention = 4 * 16 * 2 * 2.5;
        assertThat(cost.forwardOperations()).isCloseTo(2 * (total - 4 * 16) + attention, within(1e-6));
        // A window of two sees 1, 2, 2 and 2 in one of the two layers.
        double banded = 4 * 16 * (2.5 + 1.75);
        assertThat(new ModelCost(config.withWindow(2)).trainingOperations())
                .isCloseTo(3 * (2 * (total - 4 * 16) + banded), within(1e-6));
    }

    @Test
    void sharedHeadsMakeALlamasCacheSmallerAndItsPositionsHaveNoWeights() {
        GptConfig config = Preset.named("tiny-llama").config();
        ModelCost cost = new ModelCost(config);

        // 2 layers, 128 tokens, 2 heads of 16 for keys and as many for values, 4 bytes
        assertThat(cost.cacheBytes(CachePrecision.FP32)).isEqualTo(2 * 2 * 128 * 2 * 16 * 4);
        // 300 x 64 of the table, 64 x 128 + 64 x 64 of attention, 64 x 256 + 128 x 64 of the rest, 5 norms
        int total = 300 * 64 + 2 * (64 * 128 + 64 * 64 + 64 * 256 + 128 * 64) + 5 * 64;
        assertThat(config.parameters()).isEqualTo(total);
        // On average of 128 tokens, 64.5 are attended to, by four heads.
        assertThat(cost.forwardOperations()).isCloseTo(2.0 * total + 4 * 64 * 2 * 64.5, within(1e-6));
    }

    @Test
    void aLlamaIsNotTrained() {
        ModelOptions options = new ModelOptions();
        options.preset = "llama-3.2-1b";
        assertThatThrownBy(options::check)
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--preset is llama-3.2-1b, a Llama")
                .hasMessageContaining("choose a GPT");
    }

    @Test
    void theTableHasALineForEachAndSaysWhatItCounts() {
        StringWriter out = new StringWriter();
        int exit = TrainMain.commandLine().setOut(new PrintWriter(out, true)).execute("presets");

        assertThat(exit).isZero();
        assertThat(out.toString().lines())
                .anyMatch(line ->
                        line.matches("gpt3-xl +gpt3 +24 +16 +2048 +2048 +50257 +256 +1.32 G .*Brown et al. 2020"))
                .anyMatch(line -> line.matches(
                        "llama-3.2-1b +llama +16 +32/8 +2048 +8192 +128256 +0 +1.24 G +4.94 GB .*Meta 2024"))
                .anyMatch(line ->
                        line.matches("gpt1 +gpt1 +12 +12 +768 +512 +40478 +0 +117 M +466 MB .*Radford et al. 2018"));
        for (Preset preset : Preset.ALL) {
            assertThat(out.toString()).contains(preset.name() + " ");
        }
        assertThat(out.toString()).contains("2 N +", "activations", "a choice made here");
    }

    @Test
    void quantitiesHaveThreeDigits() {
        assertThat(PresetsCommand.quantity(999, "B")).isEqualTo("999 B");
        assertThat(PresetsCommand.quantity(1000, "B")).isEqualTo("1.00 kB");
        assertThat(PresetsCommand.quantity(12_345_678, "B")).isEqualTo("12.3 MB");
        assertThat(PresetsCommand.quantity(999_600_000, "")).isEqualTo("1.00 G");
        assertThat(PresetsCommand.quantity(174.6e9, "")).isEqualTo("175 G");
        assertThat(PresetsCommand.quantity(99.97e6, "")).isEqualTo("100 M");
    }

    @Test
    void unknownNamesAreAnsweredWithTheKnownOnes() {
        assertThatThrownBy(() -> Preset.named("gpt4"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("\"gpt4\"")
                .hasMessageContaining("gpt3-mini");
    }
}
