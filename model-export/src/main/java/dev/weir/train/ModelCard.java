package dev.weir.train;

import java.util.Locale;

/** The card of an exported model, its {@code README.md}: what it is, where it comes from, how it was checked. */
final class ModelCard {
    private ModelCard() {}

    static String text(String name, ExportSource source, Precision precision, Precision cache, AcceptanceCheck check) {
        GptConfig config = source.weights().config();
        return String.format(
                Locale.ROOT,
                """
                # %s

                A %s exported by Weir: %s.

                - shape: %s; %,d weights
                - stored as: %s weights, %s keys and values
                - checked against libtorch: %s
                %s""",
                name,
                config.family().title(),
                source.origin(),
                config.shape(),
                config.parameters(),
                precision.label(),
                cache.label(),
                check,
                source.training().isEmpty() ? "" : "\n" + source.training());
    }
}
