package dev.weir.train;

import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weir chat-tune}: teaches a pre-trained GPT to answer in conversations. Owned by the main thread. */
@Command(
        name = "chat-tune",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Teaches a pre-trained GPT to answer, from conversations of which it learns the assistant's part.",
        footer = {
            "",
            "Conversations are JSON lines in the form of OpenAI's chat API, with tools if there are any:",
            "  {\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"Hello!\"}]}",
            "They are written with the chat template that the server uses, and the loss is that of the tokens that the",
            "assistant says. DIR/best keeps the weights that do best on the held-out conversations, with the template:",
            "./weir export makes it a model to chat with. DIR/report.html shows how it goes, and how well the model still",
            "predicts plain text. Ctrl-C saves and exits."
        })
final class ChatTuneCommand implements Callable<Integer> {
    /** Enough to see forgetting, and quick beside a validation. */
    private static final int MOST_PLAIN_TOKENS = 32_768;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            required = true,
            description = "The model to begin with, that pretrain or import wrote, such as runs/NAME/best.")
    private Path checkpoint = Path.of("");

    @Option(names = "--train", paramLabel = "FILE", required = true, description = "Conversations to learn from.")
    private Path train = Path.of("");

    @Option(
            names = "--held-out",
            paramLabel = "SHARE",
            description =
                    "Share of the conversations, from the file's end, to validate on (default: ${DEFAULT-VALUE}).")
    private double heldOut = 0.02;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Where the run is kept.")
    private Path out = Path.of("");

    @Option(names = "--resume", description = "Go on where the run in --out was saved.")
    private boolean resume;

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "The Jinja template that makes a conversation into a prompt (default: the checkpoint's own, "
                    + "else Weir's, whose turns begin with the control tokens <|system|>, <|user|>, <|assistant|> "
                    + "and <|tool|>).")
    private @Nullable Path chatTemplate;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "Plain UTF-8 text on whose end to measure how much of its language the model forgets "
                    + "(default: what is said in the held-out conversations).")
    private @Nullable Path text;

    @Option(
            names = "--dropout",
            paramLabel = "SHARE",
            description = "Share of activations and attention weights dropped while training"
                    + " (default: ${DEFAULT-VALUE}).")
    private double dropout;

    @Mixin
    private LoraOptions lora = new LoraOptions();

    @Mixin
    private LoopOptions loop = chatDefaults();

    @Option(
            names = "--samples",
            paramLabel = "N",
            description = "Answers to write at the end with the best weights; unless 0, each validation also writes a "
                    + "short one into the report (default: ${DEFAULT-VALUE}).")
    private int samples = 3;

    @Option(
            names = "--sample-prompt",
            paramLabel = "TEXT",
            description = "What the user says to it (default: ${DEFAULT-VALUE}).")
    private String samplePrompt = "Hello! What can you do?";

    private static LoopOptions chatDefaults() {
        LoopOptions loop = new LoopOptions();
        loop.steps = 1000;
        loop.batch = 32;
        loop.learningRate = 3e-4;
        return loop;
    }

    @Override
    public Integer call() throws IOException {
        PrintStream console = System.out;
        loop.check();
        if (!(heldOut > 0 && heldOut < 1)) {
            throw new UserError("--held-out is " + heldOut + ": choose a share above 0 and below 1, such as 0.02");
        }
        Peers.Meeting leader = loop.meetLeader(); // what follows it has then prepared
        if (leader == null) {
            RunFolder.require(out, resume);
        }
        Checkpoint base = Checkpoint.open(checkpoint);
        if (base.config().direction() == Direction.RTL) {
            throw new UserError("--checkpoint is " + checkpoint
                    + ", which reads right to left: an answer comes after its question, so give a model that reads left "
                    + "to right");
        }
        ChatFile file = ChatFile.of(TextFile.read("--train", train));
        if (!resume && loop.leads()) {
            writeFiles();
        }
        Tokenizer tokenizer = Tokenizer.load(out);
        String digest = Sha256.of("weir-chat-data-1\n" + file.file().sha256() + "\nheld out " + heldOut + "\n"
                + Files.readString(out.resolve(ExportSource.CHAT_TEMPLATE)));
        TrainingState.Saved saved = resume ? TrainingState.load(RunFolder.last(out), digest) : null;
        Torch.configure(loop.threadCount());
        PretrainConfig config = loop.config(base.config().withDropout(dropout), lora.of(checkpoint, base), saved);
        ChatTemplate template = template();
        ChatEncoder encoder = new ChatEncoder(template, tokenizer, base.config().context());
        ChatText conversations = ChatText.encode(file, heldOut, encoder, tokenizer);
        int left = file.conversations().size() - conversations.conversations();
        if (left > 0) {
            console.printf(
                    "%,d conversations whose first answer ends after the context of %d tokens are left out%n",
                    left, base.config().context());
        }
        PlainText plain = plainText(file, tokenizer);
        TrainingCard card = new TrainingCard(
                TrainingCard.command(spec.commandLine().getParseResult().originalArgs()),
                "answer as the assistant does, by the loss of its tokens alone,",
                file.file().describe() + ": " + conversations.describe(),
                plain.source(),
                settings(config),
                TrainingCard.of(checkpoint));
        String asked = template.render(List.of(new ChatTemplate.Message("user", samplePrompt)), true)
                .toString();
        SamplePlan plan = new SamplePlan(asked, samples, ShortSample.MOST_TOKENS, loop.seed);
        LoopRun run = new LoopRun(config, conversations, plain, tokenizer, card, plan, console, loop.logEvery);
        return PeerProcesses.together(
                loop,
                leader,
                spec.commandLine().getParseResult().originalArgs(),
                out,
                config.matmul(),
                peers -> run.run(out, digest, saved, () -> beginning(config, base), peers));
    }

    private static GptWeights beginning(PretrainConfig config, GptWeights base) {
        GptWeights weights = GptWeights.of(config.model(), base::tensor);
        Lora lora = config.lora();
        return lora == null ? weights : new LoraWeights(weights, lora, config.seed());
    }

    /** The template in the run's folder, which has been checked for what the tokenizer must know. */
    private ChatTemplate template() throws IOException {
        try {
            return ChatTemplate.load(out).orElseThrow();
        } catch (IllegalArgumentException e) {
            throw new UserError("the chat template cannot be used: " + e.getMessage(), e);
        }
    }

    /** What goes with the weights into every folder of the run: the tokenizer and the template. */
    private void writeFiles() throws IOException {
        Map<String, String> files = new HashMap<>();
        for (String name : ExportSource.FILES) {
            if (Files.isRegularFile(checkpoint.resolve(name))) {
                files.put(name, Files.readString(checkpoint.resolve(name)));
            }
        }
        if (chatTemplate != null) {
            files.put(
                    ExportSource.CHAT_TEMPLATE,
                    TextFile.read("--chat-template", chatTemplate).text());
        } else if (!files.containsKey(ExportSource.CHAT_TEMPLATE)) {
            files.put(ExportSource.CHAT_TEMPLATE, ownTemplate());
        }
        Files.createDirectories(out);
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(out.resolve(file.getKey()), file.getValue());
        }
    }

    /** Weir's template, if the checkpoint's tokenizer has its tokens. */
    private String ownTemplate() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(checkpoint);
        List<String> missing = ChatTemplates.CONTROL_TOKENS.stream()
                .filter(token -> tokenizer.id(token).isEmpty())
                .toList();
        if (!missing.isEmpty()) {
            throw new UserError(
                    "--checkpoint is " + checkpoint + ", whose tokenizer has no " + String.join(", ", missing)
                            + " for Weir's chat template: pretrain with "
                            + missing.stream()
                                    .map(token -> "--control-token '" + token + "'")
                                    .collect(Collectors.joining(" "))
                            + ", or give --chat-template a template that does without");
        }
        return ChatTemplates.own();
    }

    private PlainText plainText(ChatFile file, Tokenizer tokenizer) throws IOException {
        String source = text == null ? "held-out messages" : String.valueOf(text.getFileName());
        String plain;
        if (text == null) {
            int first = (int) Math.round(file.conversations().size() * (1 - heldOut));
            plain = file.conversations().subList(first, file.conversations().size()).stream()
                    .flatMap(conversation -> conversation.messages().stream())
                    .map(message -> message.content() == null ? "" : message.content() + "\n")
                    .collect(Collectors.joining());
        } else {
            plain = TextFile.read("--text", text).text();
        }
        return PlainText.endOf(source, plain, tokenizer, MOST_PLAIN_TOKENS);
    }

    private SequencedMap<String, String> settings(PretrainConfig config) {
        SequencedMap<String, String> settings = config.describe();
        settings.put("held-out", String.valueOf(heldOut));
        settings.put("threads", String.valueOf(loop.threadCount()));
        return settings;
    }
}
