package dev.weir.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/**
 * How a run came to its weights, so that anyone can do it again: the {@code README.md} of a checkpoint, which an export takes
 * into the card of its model. Immutable; any thread.
 *
 * @param command what was typed, without {@code --resume}
 * @param aim what the model was trained to do, after "Trained to"
 * @param data name, size and digest of the text
 * @param plainText name of the text on which forgetting was measured; empty for none
 * @param settings every setting in effect by its option's name
 * @param before the card of the checkpoint that the run began with; empty where it began with random weights
 */
record TrainingCard(
        String command,
        String aim,
        String data,
        String plainText,
        SequencedMap<String, String> settings,
        String before) {
    /** The aim of pre-training. */
    static final String PREDICTING = "predict the next token";

    static final String FILE = "README.md";

    /** The card of a checkpoint; empty if it has none. */
    static String of(Path checkpoint) throws IOException {
        Path card = checkpoint.resolve(FILE);
        return Files.isRegularFile(card) ? Files.readString(card) : "";
    }

    /** The command line that these arguments stand for. */
    static String command(List<String> arguments) {
        StringBuilder line = new StringBuilder("./weir");
        for (String argument : arguments) {
            if (!argument.equals("--resume")) {
                boolean isPlain = argument.matches("[\\w./:=,@+-]+");
                line.append(' ').append(isPlain ? argument : "'" + argument.replace("'", "'\\''") + "'");
            }
        }
        return line.toString();
    }

    /**
     * The card of a run as it stands.
     *
     * @param metrics the run's JSON lines
     * @param samples texts that the best weights wrote; none until the run is done
     * @param progress where the run stands
     */
    String text(Path metrics, Path samples, TrainingState.Progress progress) throws IOException {
        StringBuilder card = new StringBuilder("## Training\n\n```\n" + command + "\n```\n\n");
        card.append("Trained to ")
                .append(aim)
                .append(" with AdamW, warm-up and a cosine, on ")
                .append(data)
                .append(".\n\n");
        card.append("In effect: ");
        settings.forEach((name, value) -> card.append(name)
                .append(' ')
                .append(value)
                .append(name.equals(settings.lastEntry().getKey()) ? "" : ", "));
        card.append(String.format(
                Locale.ROOT,
                ".%n%n%d steps in %.0f s. The weights are those of step %d, with the lowest validation loss, %.4f nats a token.%n%n",
                progress.step(),
                progress.seconds(),
                progress.bestStep(),
                progress.bestLoss()));
        card.append(losses(metrics));
        if (Files.isRegularFile(samples)) {
            card.append("\n## Samples\n\n```\n")
                    .append(Files.readString(samples))
                    .append("```\n");
        }
        if (!before.isEmpty()) {
            card.append("\n# Before that\n\n").append(before.split("\n## Samples", 2)[0]);
        }
        return card.toString();
    }

    /** A row for each look at the held-out text, with the mean loss of the steps since the one before. */
    private String losses(Path file) throws IOException {
        RunMetrics metrics = RunMetrics.read(file);
        boolean hasPlain = metrics.hasPlainLoss();
        StringBuilder table = new StringBuilder("| step | training loss | validation loss | bits per byte |"
                + (hasPlain ? " loss on " + plainText + " |" : "") + "\n|---|---|---|---|"
                + (hasPlain ? "---|" : "") + "\n");
        for (RunMetrics.Look look : metrics.looks()) {
            table.append(String.format(
                    Locale.ROOT,
                    "| %d | %s | %.4f | %.4f |",
                    look.step(),
                    Double.isNaN(look.trainingLoss()) ? "" : String.format(Locale.ROOT, "%.4f", look.trainingLoss()),
                    look.validationLoss(),
                    look.bitsPerByte()));
            table.append(hasPlain ? String.format(Locale.ROOT, " %.4f |%n", look.plainLoss()) : "\n");
        }
        return table.toString();
    }
}
