package dev.weir.train;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A GPT that is known by name. Immutable; any thread.
 *
 * <p>Shapes are those of the papers, with these decisions. Table 2.1 of the GPT-3 paper gives gpt3-xl 24 heads of 128 in a
 * width of 2048, and gpt3-13b 40 heads of 128 in a width of 5140: here the size of a head is kept, so that the first has 16
 * heads and the second a width of 5120. The paper does not say how wide its bands are: 256 tokens is a choice made here.
 * Dropout is the first paper's 0.1, and none where a paper names none; the small ones for a desk, which see their text many
 * times, have 0.1.
 *
 * @param source the paper, or what the preset is for
 */
record Preset(String name, GptConfig config, String source) {
    private static final String GPT1 = "Radford et al. 2018";
    private static final String GPT2 = "Radford et al. 2019";
    private static final String GPT3 = "Brown et al. 2020";

    private static final int GPT1_TOKENS = 40478; // 40,000 merges and the 478 symbols that they start from
    private static final int GPT2_TOKENS = 50257;
    private static final int MINI_TOKENS = 1024;

    private static final RotaryPositions LLAMA3 = new RotaryPositions(500_000, 32, 1, 4, 8192);

    /** Every preset, oldest and smallest first. */
    static final List<Preset> ALL = List.of(
            gpt1("gpt1", 12, 12, 768, 512, GPT1_TOKENS, GPT1),
            gpt2("gpt2", 12, 12, 768),
            gpt2("gpt2-medium", 24, 16, 1024),
            gpt2("gpt2-large", 36, 20, 1280),
            gpt2("gpt2-xl", 48, 25, 1600),
            gpt3("gpt3-small", 12, 12, 768),
            gpt3("gpt3-medium", 24, 16, 1024),
            gpt3("gpt3-large", 24, 16, 1536),
            gpt3("gpt3-xl", 24, 16, 2048),
            gpt3("gpt3-2.7b", 32, 32, 2560),
            gpt3("gpt3-6.7b", 32, 32, 4096),
            gpt3("gpt3-13b", 40, 40, 5120),
            gpt3("gpt3-175b", 96, 96, 12288),
            // Of its context of 131072 tokens, as many as its first training had.
            new Preset(
                    "llama-3.2-1b",
                    new GptConfig(16, 32, 2048, 8192, 128256, new LlamaShape(8, 8192, LLAMA3)),
                    "Meta 2024"),
            gpt1("gpt1-mini", 4, 4, 128, 256, MINI_TOKENS, "for a desk"),
            new Preset("gpt2-mini", new GptConfig(4, 4, 128, 256, MINI_TOKENS, 0.1), "for a desk"),
            new Preset("gpt3-mini", new GptConfig(4, 4, 128, 256, MINI_TOKENS, 0.1).withWindow(64), "for a desk"),
            new Preset("tiny", new GptConfig(2, 2, 64, 128, 300, 0), "for tests"),
            new Preset("tiny-llama", new GptConfig(2, 4, 64, 128, 300, new LlamaShape(2, 128, LLAMA3)), "for tests"));

    /** The one of that name. */
    static Preset named(String name) {
        for (Preset preset : ALL) {
            if (preset.name.equals(name)) {
                return preset;
            }
        }
        throw new UserError("there is no preset \"" + name + "\": choose one of "
                + ALL.stream().map(Preset::name).collect(Collectors.joining(", ")));
    }

    private static Preset gpt1(
            String name, int layers, int heads, int width, int context, int vocabularySize, String source) {
        return new Preset(
                name,
                new GptConfig(Family.GPT1, layers, heads, width, context, vocabularySize, 0.1, 0, false, Direction.LTR),
                source);
    }

    private static Preset gpt2(String name, int layers, int heads, int width) {
        return new Preset(name, new GptConfig(layers, heads, width, 1024, GPT2_TOKENS, 0), GPT2);
    }

    private static Preset gpt3(String name, int layers, int heads, int width) {
        return new Preset(name, new GptConfig(layers, heads, width, 2048, GPT2_TOKENS, 0).withWindow(256), GPT3);
    }
}
