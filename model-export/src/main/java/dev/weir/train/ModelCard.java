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
                %s%s%s""",
                name,
                config.family().title(),
                source.origin(),
                config.shape(),
                config.parameters(),
                stored,
                source.weights().head().map(ModelCard::head).orElse(""),
                check,
                source.training().isEmpty() ? "" : "\n" + source.training());
    }

    /**
     * Lines of a graph for a GPU, which nothing is compared on.
     *
     * @param target what the graph is for
     * @param precision of its weights and its arithmetic
     * @param twin lines on what was compared of its twin for the CPU
     */
    static String twin(Target target, Precision precision, String twin) {
        return target(target)
                + """
                - checked in its place, on the CPU: a twin with the same weights in %1$s, \
                GroupQueryAttention and float32 arithmetic
                %2$s- not checked: this graph itself, neither its attention nor its arithmetic in %1$s
                """.formatted(
                        precision.label(), twin.replace("- checked against libtorch", "- twin against libtorch"));
    }

    /** Lines of a model that nothing was compared with, and why not. */
    static String unchecked(Target target, String why) {
        return target(target) + "- not checked: compared with nothing, since " + why + "\n";
    }

    private static String target(Target target) {
        return switch (target) {
            case CPU -> "";
            case CUDA -> """
                - target: cuda; attention is ONNX Runtime's PagedAttention, over blocks of %d tokens
                """.formatted(PagedAttention.BLOCK_SIZE);
            case CUDA_SLOTS -> """
                - target: cuda-slots; attention is ONNX Runtime's GroupQueryAttention, over a cache without blocks
                """;
        };
    }

    /** What the head of a fine-tuned model says, and how to ask it. */
    static String head(TaskHead head) {
        String form = switch (head.task()) {
            case CLASSIFICATION, REGRESSION -> "`<|start|>` text `<|extract|>`";
            case ENTAILMENT -> "`<|start|>` premise `<|delimiter|>` hypothesis `<|extract|>`";
            case SIMILARITY ->
                "`<|start|>` text `<|delimiter|>` other text `<|extract|>`, in both orders: the sum of both";
            case MULTIPLE_CHOICE -> "`<|start|>` question `<|delimiter|>` choice `<|extract|>`, once for each choice";
        };
        return "- head: " + head.task().label() + ", output `" + GptGraph.CLASS_LOGITS + "` after " + form
                + (head.labels().isEmpty() ? "" : "; labels " + String.join(", ", head.labels())) + "\n";
    }
}
