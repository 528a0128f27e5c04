package dev.weir.train;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The choices of an export.
 *
 * @param target what the graph is for
 * @param precision how weights are stored
 * @param allPositions whether logits come out for every token, {@code [batch, tokens, vocabulary]}, as evaluation wants
 *     them, instead of for the last one; a graph for CUDA is told at each run which ones it is to be
 * @param kvScales scales of an eight-bit cache; null keeps keys and values as attention calculates them
 * @param numerics whether eight-bit activations have scales of their own
 * @param adapters what the graph has inputs for, and files beside it
 * @param embeds whether there is a second graph, for embeddings
 */
record GptGraphOptions(
        Target target,
        Precision precision,
        boolean allPositions,
        @Nullable KvScales kvScales,
        Numerics numerics,
        List<LoraAdapter> adapters,
        boolean embeds) {
    GptGraphOptions {
        if (embeds && (target.isInHalves() || !adapters.isEmpty())) {
            throw new IllegalArgumentException("a graph for embeddings is for the CPU, without adapters");
        }
        if (target.isInHalves() && (precision.halves().isEmpty() || allPositions || !adapters.isEmpty())) {
            throw new IllegalArgumentException(
                    "a graph for " + target.label() + " is in fp16 or bf16, without adapters, and told which positions"
                            + " are wanted; asked for are " + precision.label() + ", " + adapters.size() + " adapters"
                            + (allPositions ? " and all positions" : ""));
        }
    }

    /** A graph for the CPU. */
    GptGraphOptions(Precision precision) {
        this(Target.CPU, precision, false, null, Numerics.EXACT, List.of(), false);
    }

    GptGraphOptions withTarget(Target other) {
        return new GptGraphOptions(other, precision, allPositions, kvScales, numerics, adapters, embeds);
    }

    GptGraphOptions withKvScales(KvScales scales) {
        return new GptGraphOptions(target, precision, allPositions, scales, numerics, adapters, embeds);
    }

    GptGraphOptions withAdapters(List<LoraAdapter> some) {
        return new GptGraphOptions(target, precision, allPositions, kvScales, numerics, some, embeds);
    }

    GptGraphOptions withNumerics(Numerics other) {
        return new GptGraphOptions(target, precision, allPositions, kvScales, other, adapters, embeds);
    }

    GptGraphOptions withAllPositions() {
        return new GptGraphOptions(target, precision, true, kvScales, numerics, adapters, embeds);
    }

    GptGraphOptions withEmbeddings(boolean wanted) {
        return new GptGraphOptions(target, precision, allPositions, kvScales, numerics, adapters, wanted);
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
