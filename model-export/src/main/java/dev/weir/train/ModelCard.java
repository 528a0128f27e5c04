package dev.weir.train;

import java.util.Locale;

/** The card of an exported model, its {@code README.md}: what it is, where it comes from, how it was checked. */
final class ModelCard {
    private ModelCard() {}

    /**
     * The card.
     *
     * @param stored how weights, keys and values are stored
     * @param check further lines of the list, on what was compared
     */
    static String text(String name, ExportSource source, String stored, String check) {
        GptConfig config = source.weights().config();
        return String.format(
                Locale.ROOT,
                """
                # %s

                A %s exported by Weir: %s.

                - shape: %s; %,d weights
                - stored as: %s
                %s%s""",
                name,
                config.family().title(),
                source.origin(),
                config.shape(),
                config.parameters(),
                stored,
                check,
                source.training().isEmpty() ? "" : "\n" + source.training());
    }
}
