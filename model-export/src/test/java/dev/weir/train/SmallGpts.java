package dev.weir.train;

import java.util.stream.Stream;

/** A small model of each family, with and without an output bias, for what must hold for all. */
final class SmallGpts {
    static final GptConfig GPT1 = new GptConfig(Family.GPT1, 3, 4, 64, 48, 270, 0, 0, false, Direction.LTR);
    static final GptConfig GPT2 = new GptConfig(3, 4, 64, 48, 270, 0);
    static final GptConfig GPT3 = new GptConfig(Family.GPT3, 3, 4, 64, 48, 270, 0, 7, false, Direction.LTR);

    /** Four heads on two of keys and values; of its eight frequencies some are kept, some divided, some in between. */
    static final GptConfig LLAMA =
            new GptConfig(2, 4, 64, 48, 270, new LlamaShape(2, 96, new RotaryPositions(10_000, 8, 1, 4, 128)));

    private SmallGpts() {}

    /** Those that have a graph, which a Llama has too. */
    static Stream<GptConfig> graphs() {
        return Stream.concat(all(), Stream.of(LLAMA));
    }

    /** Those that libtorch trains. */
    static Stream<GptConfig> all() {
        return Stream.of(GPT1, GPT2, GPT3, GPT1.withOutputBias(), GPT2.withOutputBias(), GPT3.withOutputBias());
    }
}
