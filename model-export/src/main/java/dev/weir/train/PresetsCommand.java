package dev.weir.train;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code weir presets}: lists the models known by name and what they cost. Owned by the main thread. */
@Command(
        name = "presets",
        mixinStandardHelpOptions = true,
        description = "Lists the models that pretrain --preset and export --random know, and what they cost.")
final class PresetsCommand implements Callable<Integer> {
    private static final String ROW =
            "%-12s  %-6s  %6s  %5s  %5s  %7s  %6s  %6s  %10s  %8s  %8s  %8s  %8s  %8s  %8s  %8s  %8s  %s%n";

    private static final String NOTES = """

            heads       those of queries and, after a stroke where they are fewer, those of keys and values.
            window      tokens that every second layer attends to; the others, and all layers where it is 0, see all.
            fp32, fp16, int8, int4
                        size of the exported weights. ONNX Runtime takes up to twice their memory while it arranges
                        them, and fp16 weights, which it computes with as fp32, the memory of those.
            cache       keys and values of one sequence of full context in fp32; an eight-bit cache takes a quarter.
            train       weights, gradients and AdamW's two moments in fp32; activations, which grow with the batch, excluded.
                        A llama is not trained here, but exported with random weights.
            forward, training
                        operations per token: 2 N + 4 x width x tokens attended to, summed over the layers and averaged
                        over a context, with N all weights but the positions; three times that to train.

            Radford et al. 2018: Improving Language Understanding by Generative Pre-Training.
            Radford et al. 2019: Language Models are Unsupervised Multitask Learners.
            Brown et al. 2020: Language Models are Few-Shot Learners. Its Table 2.1 gives gpt3-xl 24 heads of 128 in width
            2048 and gpt3-13b width 5140 for 40 heads of 128; here heads of 128 fill the width: 16 heads, and width 5120. It
            does not give the window: 256 is a choice made here.
            Meta 2024: the model card of Llama 3.2 1B. Of its context of 131072, the first 8192 are taken.
            """;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                ROW,
                "name",
                "family",
                "layers",
                "heads",
                "width",
                "context",
                "vocab",
                "window",
                "parameters",
                "fp32",
                "fp16",
                "int8",
                "int4",
                "cache",
                "train",
                "forward",
                "training",
                "paper");
        for (Preset preset : Preset.ALL) {
            GptConfig config = preset.config();
            ModelCost cost = new ModelCost(config);
            out.printf(
                    ROW,
                    preset.name(),
                    config.family().label(),
                    config.layers(),
                    config.kvHeads() == config.heads() ? config.heads() : config.heads() + "/" + config.kvHeads(),
                    config.width(),
                    config.context(),
                    config.vocabularySize(),
                    config.window(),
                    quantity((double) config.parameters(), ""),
                    quantity((double) cost.weightBytes(Precision.FP32), "B"),
                    quantity((double) cost.weightBytes(Precision.FP16), "B"),
                    quantity((double) cost.weightBytes(Precision.INT8), "B"),
                    quantity((double) cost.weightBytes(Precision.INT4), "B"),
                    quantity((double) cost.cacheBytes(CachePrecision.FP32), "B"),
                    quantity((double) cost.trainingBytes(), "B"),
                    quantity(cost.forwardOperations(), ""),
                    quantity(cost.trainingOperations(), ""),
                    preset.source());
        }
        out.print(NOTES);
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    /** Three digits and a thousand's letter. */
    static String quantity(double value, String unit) {
        String[] prefixes = {"", "k", "M", "G", "T", "P"};
        int power = 0;
        double scaled = value;
        // What would be written as 1000 is 1 of the next.
        while (scaled >= 999.5 && power < prefixes.length - 1) {
            scaled /= 1000;
            power++;
        }
        String format = power == 0 || scaled >= 99.95 ? "%.0f %s%s" : scaled >= 9.995 ? "%.1f %s%s" : "%.2f %s%s";
        return String.format(Locale.ROOT, format, scaled, prefixes[power], unit).strip();
    }
}
