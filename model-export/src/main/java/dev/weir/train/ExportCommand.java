package dev.weir.train;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code export}: writes a model folder for the server and compares it with the weights that it was made from. A model
 * that differs is not written.
 *
 * <pre>
 * export --random tiny --seed 1 --out models/tiny
 * export --random 6/6/384/256/4096 --precision int8 --out models/small
 * </pre>
 */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description = "Writes a model folder that weir serve can run.")
final class ExportCommand implements Callable<Integer> {
    private static final int CHECKED_TEXTS = 3;
    private static final int CHECKED_TOKENS = 24;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--random",
            required = true,
            paramLabel = "SHAPE",
            description = "Random weights: gpt2, tiny, or layers/heads/width[/context[/vocabulary]].")
    private String random = "";

    @Option(names = "--seed", description = "Seed of random weights. Default: ${DEFAULT-VALUE}.")
    private long seed = 1;

    @Option(names = "--precision", description = "fp32 or int8. Default: ${DEFAULT-VALUE}.")
    private Precision precision = Precision.FP32;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "The model folder to write.")
    private Path out = Path.of("");

    /** Runs the command by itself. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new ExportCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args));
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter console = spec.commandLine().getOut();
        GptWeights weights = new RandomGptWeights(randomConfig(), seed);
        GptConfig config = weights.config();
        Map<String, String> files = new LinkedHashMap<>();
        files.put("tokenizer.json", RandomTokenizer.json(config.vocabularySize()));
        files.put(
                "tokenizer_config.json",
                ModelFolderWriter.tokenizerConfig(RandomTokenizer.END_OF_TEXT, config.context()));
        files.put("README.md", card(config));
        ModelFolderWriter.Contents contents = new ModelFolderWriter.Contents(
                weights,
                new GptGraphOptions(precision, false),
                RandomTokenizer.endOfText(config.vocabularySize()),
                files);
        List<AcceptanceCheck> outcome = new ArrayList<>();
        try {
            ModelFolderWriter.write(out, contents, draft -> {
                AcceptanceCheck check =
                        AcceptanceCheck.of(draft, new ReferenceForward(weights), randomTexts(config, new Random(seed)));
                outcome.add(check);
                if (!check.accepts(precision)) {
                    throw new RejectedExportException(check, precision);
                }
            });
        } catch (FileAlreadyExistsException e) {
            throw new ParameterException(
                    spec.commandLine(), "--out is " + out + ", which exists: remove it or name another folder");
        } catch (RejectedExportException e) {
            spec.commandLine().getErr().println(e.getMessage());
            return 1;
        }
        console.println(
                "wrote " + out + ": " + config + ", " + config.parameters() + " parameters, " + precision.label());
        console.println("checked against a reference: " + outcome.getFirst());
        return 0;
    }

    private static final class RejectedExportException extends RuntimeException {
        RejectedExportException(AcceptanceCheck check, Precision precision) {
            super("nothing was written: the exported model differs from its weights (" + check + ") by more than "
                    + precision.label() + " allows (" + AcceptanceCheck.tolerance(precision) + ")");
        }
    }

    private GptConfig randomConfig() {
        try {
            return parseShape(random);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--random " + random + ": " + e.getMessage(), e);
        }
    }

    /** {@code gpt2}, {@code tiny} or {@code layers/heads/width[/context[/vocabulary]]}. */
    static GptConfig parseShape(String shape) {
        if (!shape.contains("/")) {
            return GptConfig.preset(shape);
        }
        String[] parts = shape.split("/", -1);
        int[] sizes = {0, 0, 0, 1024, 50257};
        if (parts.length < 3 || parts.length > sizes.length) {
            throw new IllegalArgumentException("give layers/heads/width, then /context and /vocabulary if wanted");
        }
        for (int i = 0; i < parts.length; i++) {
            try {
                sizes[i] = Integer.parseInt(parts[i]);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("\"" + parts[i] + "\" is not a whole number", e);
            }
        }
        return new GptConfig(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], 0);
    }

    private static List<int[]> randomTexts(GptConfig config, Random random) {
        List<int[]> texts = new ArrayList<>();
        for (int i = 0; i < CHECKED_TEXTS; i++) {
            texts.add(random.ints(Math.min(CHECKED_TOKENS, config.context()), 0, config.vocabularySize())
                    .toArray());
        }
        return texts;
    }

    private String card(GptConfig config) {
        return """
                # %s

                A GPT-2 with random weights for tests and measurements: it has learned nothing and answers nonsense.

                - shape: %s
                - parameters: %d
                - seed: %d
                - weights: %s
                """.formatted(
                out.toAbsolutePath().normalize().getFileName(), config, config.parameters(), seed, precision.label());
    }
}
