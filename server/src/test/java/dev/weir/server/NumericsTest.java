package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

final class NumericsTest {
    private final Numerics.Converter converter = new Numerics.Converter();

    @Test
    void isReadAsItIsShown() {
        for (Numerics numerics : Numerics.values()) {
            assertThat(converter.convert(numerics.toString())).isEqualTo(numerics);
        }
        assertThat(Numerics.FAST).hasToString("fast");
    }

    @Test
    void anythingElseIsRefusedWithWhatItMayBe() {
        for (String text : new String[] {"", "FAST", "quick"}) {
            assertThatThrownBy(() -> converter.convert(text))
                    .isInstanceOf(TypeConversionException.class)
                    .hasMessage("'" + text + "' is neither exact nor fast");
        }
    }
}
