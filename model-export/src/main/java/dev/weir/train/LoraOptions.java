package dev.weir.train;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of low-rank adaptation, for every command that trains further. Set by picocli, read by the main thread. */
final class LoraOptions {
    /**
     * Twice the rank, which is customary; the paper sets alpha to the first rank that it tries and leaves it there, since it
     * acts as a learning rate does.
     */
    private static final double ALPHA_BY_RANK = 2;

    @Option(
            names = "--lora-rank",
            paramLabel = "N",
            description = "Keep the checkpoint's weights and learn two matrices of this rank beside each of a block's "
                    + "four (LoRA); DIR/best has them added, and DIR/best/adapter by themselves (default: all weights "
                    + "learn).")
    private @Nullable Integer rank;

    @Option(
            names = "--lora-alpha",
            paramLabel = "A",
            description = "Their product counts this number times, divided by the rank (default: twice the rank).")
    private @Nullable Double alpha;

    /** Whether a low-rank adaptation was asked for. */
    boolean isGiven() {
        return rank != null;
    }

    /**
     * The adaptation of a checkpoint; null where all weights learn.
     *
     * @throws UserError if it can have none of that rank
     */
    @Nullable
    Lora of(Path checkpoint, GptWeights weights) {
        if (rank == null) {
            if (alpha != null) {
                throw new UserError("--lora-alpha is " + alpha + ", but there is no --lora-rank: add it");
            }
            return null;
        }
        OptionChecks.atLeastOne("--lora-rank", rank);
        return new Lora(rank, alpha != null ? alpha : ALPHA_BY_RANK * rank, checkpoint.toString(), weights);
    }
}
