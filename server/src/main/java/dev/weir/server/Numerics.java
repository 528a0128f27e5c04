package dev.weir.server;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** What the scores of a sequence may depend on. */
enum Numerics {
    /** On nothing but the sequence, to the last bit. */
    EXACT,
    /** On what is computed beside it. */
    FAST;

    /** Reads one from the command line. */
    static final class Converter implements ITypeConverter<Numerics> {
        @Override
        public Numerics convert(String text) {
            for (Numerics known : values()) {
                if (known.toString().equals(text)) {
                    return known;
                }
            }
            throw new TypeConversionException("'" + text + "' is neither exact nor fast");
        }
    }

    /** The name on the command line and in the configuration file. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
