package dev.weir.train;

import java.util.stream.Stream;

/** A small GPT of each family, with and without an output bias, for what must hold for all. */
final class SmallGpts {
    static final GptConfig GPT1 = new GptConfig(Family.GPT1, 3, 4, 64, 48, 270, 0, 0, false, Direction.LTR);
    static final GptConfig GPT2 = new GptConfig(3, 4, 64, 48, 270, 0);
    static final GptConfig GPT3 = new GptConfig(Family.GPT3, 3, 4, 64, 48, 270, 0, 7, false, Direction.LTR);

    private SmallGpts() {}

    static Stream<GptConfig> all() {
        return Stream.of(GPT1, GPT2, GPT3, GPT1.withOutputBias(), GPT2.withOutputBias(), GPT3.withOutputBias());
    }
}
