package dev.weir.train;

import dev.weir.onnx.ModelFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weir eval}: measures a model on a text and on questions with choices. Owned by the main thread. */
@Command(
        name = "eval",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Measures how well a model predicts a text, how often it finds the right one of several choices, and how "
                        + "well it does what it was fine-tuned for.",
        footer = {
            "",
            "A task has a JSON object in each line:",
            "  {\"context\": \"The capital of France is\", \"choices\": [\"Paris\", \"Rome\"], \"answer\": \"Paris\"}",
            "context may also be called prompt; answer is the text of a choice or its index from 0. A space is",
            "put between context and choice unless the context ends its line or the choice begins with one.",
            "Examples for --shots are other items of the file with their answers, drawn with --seed for each",
            "item; an empty line separates them. What is too long for the model loses its beginning.",
            "",
            "A chat has a conversation and its answer in each line, as ./weir corpus --held-out writes them:",
            "  {\"skill\": \"sum\", \"messages\": [{\"role\": \"user\", \"content\": \"2 + 3?\"}], \"answer\": \"5\"}",
            "The model answers through its chat template and the server's engine, choosing the likeliest tokens."
        })
final class EvalCommand implements Callable<Integer> {
    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(10);

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            required = true,
            description = "An exported model, which runs as it is served, or a checkpoint, which libtorch runs.")
    private Path model = Path.of("");

    @Option(
            names = "--data",
            paramLabel = "FILE",
            description = "UTF-8 text: loss in nats per token, perplexity and bits per byte.")
    private @Nullable Path data;

    @Option(
            names = "--stride",
            paramLabel = "N",
            description = "Tokens from one window of context to the next (default: the context, side by side); "
                    + "a smaller one gives each token more to go by and takes longer.")
    private @Nullable Integer stride;

    @Option(names = "--task", paramLabel = "FILE", description = "Questions with choices, as below: accuracy.")
    private @Nullable Path task;

    @Option(
            names = "--shots",
            paramLabel = "K[,K]",
            split = ",",
            defaultValue = "0",
            description = "Examples before each question, one result for each number (default: ${DEFAULT-VALUE}).")
    private List<Integer> shots = List.of();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of the examples (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--classify",
            paramLabel = "FILE",
            description = "Examples of the task that the model was fine-tuned for, as finetune reads them: how well "
                    + "its head does.")
    private @Nullable Path classify;

    @Option(
            names = "--chat",
            paramLabel = "FILE",
            description = "Conversations whose next answer is known, as below: how often an exported model gives it, "
                    + "word for word.")
    private @Nullable Path chat;

    @Option(names = "--card", description = "Also write the results of --chat into the model's card, its README.md.")
    private boolean card;

    @Option(names = "--json", paramLabel = "FILE", description = "Also write the results here.")
    private @Nullable Path json;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            defaultValue = "32",
            description = "Most windows that advance at once (default: ${DEFAULT-VALUE}).")
    private int parallel;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that calculate (default: all cores).")
    private @Nullable Integer threads;

    @Override
    public Integer call() throws IOException {
        checkOptions();
        // Read first, so that a mistake in a file shows before a large model is loaded.
        TextFile text = data == null ? null : TextFile.read("--data", data);
        List<ChatExercise> exercises = chat == null ? List.of() : ChatExercise.read(chat);
        List<TaskItem> items = task == null ? List.of() : TaskItem.read(task);
        // A head looks at one sequence at a time and needs no room for more.
        int windows = data == null && task == null ? 1 : parallel;
        try (EvaluatedModel evaluated = EvaluatedModel.open(model, windows, threads())) {
            EvalReport report = new EvalReport(evaluated, spec.commandLine().getOut());
            if (text != null) {
                report.add(text, score(evaluated, text));
            }
            if (task != null) {
                scoreTask(evaluated, task, items, report);
            }
            if (classify != null) {
                scoreHead(evaluated, classify, report);
            }
            if (chat != null) {
                scoreChat(chat, exercises, report);
            }
            if (json != null) {
                report.write(json);
            }
        }
        return CommandLine.ExitCode.OK;
    }

    private TextScore score(EvaluatedModel evaluated, TextFile text) {
        int[] tokens = evaluated
                .direction()
                .order(
                        evaluated.tokenizer().encode(text.text(), true),
                        evaluated.tokenizer().eosId());
        int step = stride == null ? evaluated.scorer().context() : stride;
        return TextScore.of(
                evaluated.scorer(), tokens, evaluated.tokenizer(), step, progress("tokens", tokens.length - 1L));
    }

    private void scoreTask(EvaluatedModel evaluated, Path file, List<TaskItem> items, EvalReport report) {
        if (evaluated.direction() == Direction.RTL) {
            throw new UserError("--task asks for what comes after a text, and " + model
                    + " reads right to left and predicts what comes before: evaluate it with --data");
        }
        report.task(file, items.size(), seed);
        for (int count : shots) {
            report.add(TaskScore.of(
                    evaluated.scorer(), evaluated.tokenizer(), items, count, seed, progress("items", items.size())));
        }
    }

    private void scoreHead(EvaluatedModel evaluated, Path path, EvalReport report) throws IOException {
        TaskHead head = evaluated
                .head()
                .orElseThrow(() -> new UserError("--classify needs a model that finetune wrote, and " + model
                        + " has no head for a task: give one such as runs/NAME/best or its export, or leave out "
                        + "--classify"));
        LabelledFile file = LabelledFile.read("--classify", path, head.task());
        file.check(head);
        TaskEncoder encoder = new TaskEncoder(
                file.task(),
                evaluated.tokenizer(),
                TaskTokens.of(evaluated.tokenizer()),
                evaluated.scorer().context());
        List<TaskExample> examples = encoder.encode(file, head);
        long cut = examples.stream().filter(TaskExample::cut).count();
        report.add(file, evaluated.score(head, examples, threads()), cut);
    }

    /** Threads that calculate; 0 for all cores. */
    private int threads() {
        return threads == null ? 0 : threads;
    }

    private void scoreChat(Path file, List<ChatExercise> exercises, EvalReport report) throws IOException {
        if (!Files.isRegularFile(model.resolve(ModelFolder.CONFIG_FILE))) {
            throw new UserError("--chat asks a model that is served, and " + model
                    + " is a checkpoint: export it and give that folder");
        }
        ChatScore score = ChatScore.of(model, exercises, parallel, threads(), progress("exercises", exercises.size()));
        report.add(file, score);
        if (card) {
            List<String> arguments = spec.commandLine().getParseResult().originalArgs();
            CardSection.write(model, "Exercises", score.markdown(TrainingCard.command(arguments)));
        }
    }

    private void checkOptions() {
        if (data == null && task == null && classify == null && chat == null) {
            throw new UserError("there is nothing to evaluate on: give --data FILE, --task FILE, --classify FILE, "
                    + "--chat FILE or several");
        }
        if (card && chat == null) {
            throw new UserError("--card writes what --chat finds: give --chat FILE too, or leave out --card");
        }
        if (parallel < 1) {
            throw new UserError("--parallel is " + parallel + ": it must be at least 1");
        }
        if (threads != null && threads < 1) {
            throw new UserError("--threads is " + threads + ": it must be at least 1");
        }
        Path parent = json == null ? null : json.toAbsolutePath().getParent();
        if (parent != null && !Files.isDirectory(parent)) {
            throw new UserError("--json is " + json + ", whose folder does not exist: make it, or name another");
        }
    }

    /** Tells how far it is, now and then. */
    private LongConsumer progress(String what, long all) {
        PrintWriter err = spec.commandLine().getErr();
        long[] next = {System.nanoTime() + PROGRESS_NANOS};
        return done -> {
            if (done < all && System.nanoTime() - next[0] >= 0) {
                err.println(String.format(Locale.ROOT, "%,d of %,d %s", done, all, what));
                err.flush();
                next[0] = System.nanoTime() + PROGRESS_NANOS;
            }
        };
    }
}
