package dev.weir.train;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The choices of an export.
 *
 * @param precision how weights are stored
 * @param allPositions whether logits come out for every token, {@code [batch, tokens, vocabulary]}, as evaluation wants
 *     them, instead of for the last one
 * @param kvScales scales of an eight-bit cache; null keeps keys and values in float32
 * @param adapters what the graph has inputs for, and files beside it
 */
record GptGraphOptions(
        Precision precision, boolean allPositions, @Nullable KvScales kvScales, List<LoraAdapter> adapters) {
    GptGraphOptions(Precision precision) {
        this(precision, false, null, List.of());
    }

    GptGraphOptions withKvScales(KvScales scales) {
        return new GptGraphOptions(precision, allPositions, scales, adapters);
    }

    GptGraphOptions withAdapters(List<LoraAdapter> some) {
        return new GptGraphOptions(precision, allPositions, kvScales, some);
    }

    /** Whether some adapter changes that matrix. */
    boolean isAdapted(String matrix) {
        return adapters.stream().anyMatch(adapter -> adapter.matrices().containsKey(matrix));
    }

    /** Whether some adapter brings tokens. */
    boolean hasNewTokens() {
        return adapters.stream().anyMatch(adapter -> adapter.tokens().length > 0);
    }

    /** Whether some adapter brings a head. */
    boolean hasNewHead() {
        return adapters.stream().anyMatch(adapter -> adapter.head().isPresent());
    }
}
