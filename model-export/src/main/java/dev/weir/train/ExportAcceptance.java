package dev.weir.train;

import java.io.Serial;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds an exported model that the CPU runs against libtorch on the weights that it was made from. Used by one thread.
 *
 * @param source the model
 * @param options what was exported
 * @param adapters that are in the folder beside it
 * @param seed of the texts that are compared
 */
record ExportAcceptance(ExportSource source, GptGraphOptions options, List<LoraAdapter> adapters, long seed) {
    private static final int CHECKED_TEXTS = 4;
    private static final int CHECKED_TOKENS = 64;

    /**
     * Compares what a folder holds with libtorch.
     *
     * @return lines for the model's card
     * @throws RejectedException if it differs by more than its precision explains
     */
    String check(Path folder) {
        GptConfig config = source.weights().config();
        LibtorchLogits reference = new LibtorchLogits(source.weights());
        // Long enough to reach past a window, on both sides of which the check must look.
        int tokens = CHECKED_TOKENS + config.window();
        List<int[]> texts = SelfWrittenText.write(folder, CHECKED_TEXTS, tokens, seed);
        AcceptanceCheck check = AcceptanceCheck.of(folder, reference, texts);
        StringBuilder lines = new StringBuilder("- checked against libtorch: " + check + "\n");
        Precision precision = options.precision();
        if (precision.halves().isPresent() || precision == Precision.INT4) {
            // What rounding the weights costs is no mistake of the graph: that is held to its arithmetic without it.
            reference.replace(new StoredWeights(source.weights(), precision));
            AcceptanceCheck rounded = AcceptanceCheck.of(folder, reference, texts);
            lines.append("- checked against libtorch with the weights as rounded: ")
                    .append(rounded)
                    .append('\n');
            require(rounded, arithmetic(), "the exported model differs from the weights that it stores");
            require(check, overall(), precision.label() + " loses too much of these weights");
        } else {
            require(check, overall(), "the exported model differs from its weights");
        }
        for (LoraAdapter adapter : adapters) {
            lines.append("- adapter ").append(check(folder, adapter, texts)).append('\n');
            adapter.head().ifPresent(head -> lines.append("  ").append(ModelCard.head(head)));
        }
        return lines.toString();
    }

    /** Compares the model with an adapter beside it with libtorch on the merged weights; a line on both. */
    private String check(Path folder, LoraAdapter adapter, List<int[]> texts) {
        List<int[]> own = new ArrayList<>();
        for (int[] text : texts) {
            own.add(text.clone());
            if (adapter.tokens().length > 0) { // which the base never writes
                own.getLast()[0] = adapter.tokens()[own.size() % adapter.tokens().length];
            }
        }
        ReferenceModel reference = new LibtorchLogits(adapter.mergedInto(source.weights()));
        AcceptanceCheck check = AcceptanceCheck.of(folder, folder.resolve(adapter.fileName()), reference, own);
        require(check, overall(), "the exported model with " + adapter.fileName() + " differs from its weights");
        return adapter.describe() + ", against libtorch: " + check;
    }

    /** The least exact numbers that the graph multiplies. */
    private Precision arithmetic() {
        boolean isFloat = options.precision() == Precision.FP32
                || options.precision().halves().isPresent();
        return isFloat && options.kvScales() == null ? Precision.FP32 : Precision.INT8;
    }

    /** The least exact numbers in the model. */
    private Precision overall() {
        return options.precision() != Precision.INT4 && options.kvScales() != null
                ? Precision.INT8
                : options.precision();
    }

    private static void require(AcceptanceCheck check, Precision precision, String complaint) {
        if (!check.accepts(precision)) {
            throw new RejectedException("nothing was written: " + complaint + " (" + check + "; allowed for "
                    + precision.label() + ": " + check.tolerance(precision) + ")");
        }
    }

    /** Our own mistake, or weights that so few bits cannot hold. */
    static final class RejectedException extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1L;

        RejectedException(String message) {
            super(message);
        }
    }
}
