package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weir import}: makes a checkpoint of a GPT in Hugging Face's files. Owned by the main thread. */
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Reads a GPT-2 or openai-gpt in Hugging Face's files and writes it as pretrain writes a checkpoint.",
        footer = {
            "",
            "Read are config.json, model.safetensors and tokenizer.json, with tokenizer_config.json,",
            "chat_template.jinja and generation_config.json where there are any. Weights keep their bits;",
            "half precision is widened to float32."
        })
final class ImportCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--from", paramLabel = "DIR", required = true, description = "The folder to read.")
    private Path from = Path.of("");

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "The checkpoint to write.")
    private Path out = Path.of("");

    @Override
    public Integer call() throws IOException {
        if (Files.exists(out)) {
            throw new UserError("--out is " + out + ", which exists: name another folder");
        }
        ForeignFiles.require(from);
        Checkpoint model = Checkpoint.open(from);
        GptConfig config = model.config();
        List<String> copied = new ArrayList<>();
        AtomicFolder.write(out, draft -> {
            Checkpoint.write(draft, model, GptConfigFile.endOfText(from, config));
            for (String name : ExportSource.FILES) {
                if (Files.isRegularFile(from.resolve(name))) {
                    Files.copy(from.resolve(name), draft.resolve(name));
                    copied.add(name);
                }
            }
            Files.writeString(draft.resolve(TrainingCard.FILE), card(config));
        });
        PrintWriter console = spec.commandLine().getOut();
        console.printf("%s: %s, %,d weights, %s%n", out, config, config.parameters(), String.join(", ", copied));
        warnOfTokenizer();
        return CommandLine.ExitCode.OK;
    }

    private String card(GptConfig config) {
        return "## Origin\n\nImported from " + from.toAbsolutePath().normalize().getFileName() + ", a "
                + config.family().title() + " in Hugging Face's files.\n";
    }

    /** The weights may be worth having without it, and another can take its place before the model is exported. */
    private void warnOfTokenizer() throws IOException {
        try {
            Tokenizer.load(out);
        } catch (IllegalArgumentException e) {
            spec.commandLine()
                    .getErr()
                    .println(
                            "the tokenizer was copied but cannot be used here, so the model cannot be exported or evaluated: "
                                    + e.getMessage());
        }
    }
}
