package dev.weir.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How an export for the CPU is stored where nobody says: in the fastest way with which the model loses next to nothing.
 * Immutable; any thread.
 */
record ExportChoice(Precision precision, CachePrecision cache) {
    /** Of which the first that is exact enough is taken; the last one always is. */
    static final List<ExportChoice> FASTEST_FIRST = List.of(
            new ExportChoice(Precision.INT8, CachePrecision.INT8),
            new ExportChoice(Precision.INT8, CachePrecision.FP32),
            new ExportChoice(Precision.FP32, CachePrecision.FP32));

    /** Share of its loss that a model may lose. */
    static final double MOST_RISE = 0.005;

    private static final int TEXTS = 16;
    private static final int TOKENS = 128;

    /** Texts that the model in a folder with float32 weights and cache writes itself. */
    static List<int[]> selfWritten(Path folder, long seed) {
        return SelfWrittenText.write(folder, TEXTS, TOKENS, seed);
    }

    /**
     * Stretches of a text, as far apart as can be.
     *
     * @throws UserError if it has less than one
     */
    static List<int[]> stretches(Path file, int[] tokens, GptConfig config) {
        int length = Math.min(TOKENS, config.context());
        if (tokens.length < length) {
            throw new UserError("--text is " + file + ", which has " + tokens.length + " tokens: give a text of "
                    + TEXTS * length + " or more");
        }
        int count = Math.min(TEXTS, tokens.length / length);
        List<int[]> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int start = count == 1 ? 0 : (int) ((long) i * (tokens.length - length) / (count - 1));
            texts.add(Arrays.copyOfRange(tokens, start, start + length));
        }
        return texts;
    }

    /**
     * What a model loses of its loss. On text that it wrote itself each prediction counts whole, not the one token that was drawn
     * from it: the divergence is what the loss would rise by on ever more such text.
     */
    static double rise(AcceptanceCheck check, boolean isSelfWritten) {
        return (isSelfWritten ? check.meanDivergence() : check.lossRise()) / check.loss();
    }

    static boolean isExactEnough(AcceptanceCheck check, boolean isSelfWritten) {
        return rise(check, isSelfWritten) <= MOST_RISE;
    }

    /** For a line of output and of the model's card. */
    String describe(AcceptanceCheck check, boolean isSelfWritten) {
        return String.format(
                Locale.ROOT,
                "%s weights with %s cache change the loss of %.4f nats on %s by %+.3f %%",
                precision.label(),
                cache.label(),
                check.loss(),
                isSelfWritten ? "text that the model wrote itself" : "the text given",
                100 * rise(check, isSelfWritten));
    }
}
