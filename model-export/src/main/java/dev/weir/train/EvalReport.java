package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;

/** What an evaluation found, printed as it is found and kept for machines. Owned by one thread. */
final class EvalReport {
    private final PrintWriter console;
    private final ObjectMapper mapper = new ObjectMapper();
    private final ObjectNode root = mapper.createObjectNode();

    EvalReport(EvaluatedModel model, PrintWriter console) {
        this.console = console;
        root.put("model", model.folder().toString());
        root.put("kind", model.kind());
        root.put("context", model.scorer().context());
        root.put("direction", model.direction().label());
        print(String.format(
                Locale.ROOT,
                "model %s: %s, context %d%s",
                model.folder(),
                model.kind(),
                model.scorer().context(),
                model.direction() == Direction.RTL ? ", reads right to left" : ""));
    }

    void add(TextFile data, TextScore score) {
        root.putObject("data")
                .put("file", data.file().toString())
                .put("sha256", data.sha256())
                .put("tokens", score.tokens())
                .put("bytes", score.bytes())
                .put("stride", score.stride())
                .put("loss", score.loss())
                .put("perplexity", score.perplexity())
                .put("bits_per_byte", score.bitsPerByte());
        print(String.format(
                Locale.ROOT,
                "data %s: %,d tokens predicted, %,d bytes",
                data.describe(),
                score.tokens(),
                score.bytes()));
        print(String.format(
                Locale.ROOT,
                "loss %.4f nats per token, perplexity %.3f, %.4f bits per byte, stride %d",
                score.loss(),
                score.perplexity(),
                score.bitsPerByte(),
                score.stride()));
    }

    /** Starts the part on a task. */
    void task(Path file, int items, long seed) {
        ObjectNode task = root.putObject("task");
        task.put("file", file.toString()).put("items", items).put("seed", seed);
        task.putArray("results");
        print(String.format(Locale.ROOT, "task %s: %,d items", file, items));
    }

    void add(TaskScore score) {
        double error = score.standardError(score.accuracy());
        double normalisedError = score.standardError(score.normalisedAccuracy());
        ArrayNode results = (ArrayNode) root.path("task").path("results");
        results.addObject()
                .put("shots", score.shots())
                .put("accuracy", score.accuracy())
                .put("accuracy_error", error)
                .put("accuracy_normalised", score.normalisedAccuracy())
                .put("accuracy_normalised_error", normalisedError)
                .put("chance", score.chance())
                .put("cut", score.cut());
        print(String.format(
                Locale.ROOT,
                "%d-shot: accuracy %.4f +- %.4f, by likelihood per token %.4f +- %.4f; chance %.4f%s",
                score.shots(),
                score.accuracy(),
                error,
                score.normalisedAccuracy(),
                normalisedError,
                score.chance(),
                score.cut() == 0 ? "" : "; " + score.cut() + " items were cut to the context"));
    }

    /**
     * Adds how well a fine-tuned model's head does.
     *
     * @param cut how many examples were longer than the context
     */
    void add(LabelledFile file, HeadScore score, long cut) {
        ObjectNode node = root.putObject("classify");
        node.put("file", file.source().file().toString())
                .put("sha256", file.source().sha256())
                .put("task", file.task().label())
                .put("examples", score.examples())
                .put("cut", cut);
        score.writeTo(node);
        print(String.format(
                Locale.ROOT,
                "classify %s: %,d examples of %s%s",
                file.source().file(),
                score.examples(),
                file.task().label(),
                cut == 0 ? "" : "; " + cut + " were cut to the context"));
        print(score.toString());
    }

    /** Adds how often the model answered exercises word for word. */
    void add(Path file, ChatScore score) {
        ObjectNode node = root.putObject("chat");
        node.put("file", file.toString()).put("exact_match", score.share());
        ObjectNode skills = node.putObject("skills");
        print("chat " + file + ":");
        print(String.format(Locale.ROOT, "%-28s %9s  %11s", "skill", "exercises", "exact match"));
        score.skills().forEach((name, skill) -> {
            ObjectNode result = skills.putObject(name);
            result.put("exercises", skill.exercises()).put("exact_match", skill.share());
            ArrayNode mistakes = result.putArray("mistakes");
            skill.mistakes()
                    .forEach(mistake -> mistakes.addObject()
                            .put("line", mistake.exercise().conversation().line())
                            .put("wanted", mistake.exercise().answer())
                            .put("answer", mistake.answer()));
            print(String.format(Locale.ROOT, "%-28s %,9d  %9.1f %%", name, skill.exercises(), 100 * skill.share()));
        });
        print(String.format(Locale.ROOT, "exact match in all: %.1f %%", 100 * score.share()));
    }

    /** Keeps everything so far in a file. */
    void write(Path file) throws IOException {
        AtomicFile.write(file, mapper.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
    }

    private void print(String line) {
        console.println(line);
        console.flush();
    }
}
