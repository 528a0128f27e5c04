package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GptConfigTest {
    @Test
    void headsThatDoNotDivideTheWidthAreRefused() {
        assertThatThrownBy(() -> new GptConfig(2, 3, 64, 128, 300, 0.0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("width is 64")
                .hasMessageContaining("heads = 3");
    }

    @Test
    void bandsBelongToGpt3Alone() {
        GptConfig gpt2 = new GptConfig(4, 2, 64, 128, 300, 0.0);
        GptConfig gpt3 = gpt2.withWindow(16);
        assertThat(gpt3.family()).isEqualTo(Family.GPT3);
        assertThat(IntStream.range(0, 4).filter(gpt3::isBanded)).containsExactly(1, 3);
        assertThat(gpt3.withWindow(0)).isEqualTo(gpt2);
        assertThat(IntStream.range(0, 4).filter(gpt2::isBanded)).isEmpty();
        assertThatThrownBy(() -> SmallGpts.GPT1.withWindow(16))
                .hasMessageContaining("window is 16")
                .hasMessageContaining("gpt1");
        assertThatThrownBy(() -> gpt2.withWindow(-1)).hasMessageContaining("window is -1");
    }

    @Test
    void gpt1HasTheNamesOfHuggingFaceAndNoFinalNorm() {
        GptConfig config = SmallGpts.GPT1.withOutputBias();
        assertThat(config.tensorShapes().keySet())
                .startsWith("tokens_embed.weight", "positions_embed.weight", "h.0.ln_1.weight")
                .contains("h.2.attn.c_attn.weight", "h.2.mlp.c_proj.bias", "h.2.ln_2.bias")
                .endsWith("lm_head.bias")
                .doesNotContain("ln_f.weight", "wte.weight");
    }

    @Test
    void dropoutOfOneIsRefused() {
        assertThatThrownBy(() -> new GptConfig(2, 2, 64, 128, 300, 1.0)).hasMessageContaining("dropout is 1.0");
    }

    @Test
    void randomWeightsFollowTheGpt2Initialisation() {
        GptWeights weights = new RandomGptWeights(Preset.named("tiny").config(), 1);
        assertThat(deviation(weights.tensor("wte.weight"))).isCloseTo(0.02, within(0.001));
        assertThat(deviation(weights.tensor("h.1.mlp.c_proj.weight"))).isCloseTo(0.01, within(0.001));
        assertThat(weights.tensor("h.0.ln_1.weight")).containsOnly(1f);
        assertThat(weights.tensor("h.0.attn.c_attn.bias")).hasSize(192).containsOnly(0f);
    }

    @Test
    void gpt1StartsWithOneDeviationEverywhere() {
        GptWeights weights = new RandomGptWeights(SmallGpts.GPT1.withOutputBias(), 1);
        assertThat(deviation(weights.tensor("tokens_embed.weight"))).isCloseTo(0.02, within(0.001));
        assertThat(deviation(weights.tensor("h.2.mlp.c_proj.weight"))).isCloseTo(0.02, within(0.001));
        assertThat(weights.tensor("lm_head.bias")).hasSize(270).containsOnly(0f);
    }

    @Test
    void randomWeightsDependOnSeedAndNameAlone() {
        GptConfig config = Preset.named("tiny").config();
        float[] first = new RandomGptWeights(config, 7).tensor("wte.weight");
        assertThat(new RandomGptWeights(config, 7).tensor("wte.weight")).isEqualTo(first);
        assertThat(new RandomGptWeights(config, 8).tensor("wte.weight")).isNotEqualTo(first);
    }

    @Test
    void unknownTensorIsRefused() {
        assertThatThrownBy(() -> new RandomGptWeights(Preset.named("tiny").config(), 1).tensor("h.9.ln_1.bias"))
                .hasMessageContaining("h.9.ln_1.bias");
    }

    private static double deviation(float[] values) {
        double squares = 0;
        for (float value : values) {
            squares += value * (double) value;
        }
        return Math.sqrt(squares / values.length);
    }
}
