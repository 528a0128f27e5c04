package dev.weir.corpus;

import dev.weir.train.UserError;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code weir corpus}: writes a made-up curriculum to train a small chat model on. Owned by the main thread.
 *
 * <pre>
 * weir corpus --seed 1 --tokens 60M --out corpus.txt --chat chat.jsonl --held-out held-out.jsonl
 * </pre>
 */
@Command(
        name = "corpus",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Writes a made-up curriculum of stories, facts, exercises and conversations to train on.",
        footer = {
            "",
            "The same seed and sizes give the same files on every machine. Names, words, pairs of numbers and",
            "phrasings in the --held-out file are in neither of the others, whatever the seed."
        })
public final class CorpusCommand implements Callable<Integer> {
    private static final long LEAST_TOKENS = 50_000;
    private static final int EXERCISES_OF_A_SKILL = 120;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The texts to pre-train on.")
    private Path out = Path.of("");

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "60M",
            description = "Size of the texts, such as 500K or 60M (default: ${DEFAULT-VALUE}).")
    private String tokens = "";

    @Option(
            names = "--chat",
            paramLabel = "FILE",
            description = "Write conversations to fine-tune on, as JSON lines in the form of OpenAI's chat API.")
    private @Nullable Path chat;

    @Option(
            names = "--chat-tokens",
            paramLabel = "N",
            description = "Size of what is said in the conversations (default: a quarter of --tokens).")
    private @Nullable String chatTokens;

    @Option(
            names = "--held-out",
            paramLabel = "FILE",
            description = "Write exercises with exact answers to test with, " + EXERCISES_OF_A_SKILL
                    + " of each skill, as JSON lines.")
    private @Nullable Path heldOut;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "What is drawn (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--tokenizer",
            paramLabel = "DIR",
            description = "Count tokens with the tokenizer.json of this folder (default: one for every four bytes).")
    private @Nullable Path tokenizer;

    @Override
    public Integer call() throws IOException {
        long textTokens = TokenCount.parse("--tokens", tokens, LEAST_TOKENS);
        long talkTokens = chatTokens == null ? textTokens / 4 : TokenCount.parse("--chat-tokens", chatTokens, 1);
        checkFolder("--out", out);
        checkFolder("--chat", chat);
        checkFolder("--held-out", heldOut);
        if (chatTokens != null && chat == null) {
            throw new UserError("--chat-tokens is " + chatTokens + " without --chat: name the file to write");
        }
        if (out.equals(chat) || out.equals(heldOut) || (chat != null && chat.equals(heldOut))) {
            throw new UserError("--out, --chat and --held-out name the same file: give each its own");
        }
        TokenCount count = TokenCount.with(tokenizer);
        Corpus corpus = new Corpus(CorpusBook.read(), seed);
        corpus.writeTexts(out, count, textTokens);
        report(out, count);
        if (chat != null) {
            TokenCount talk = count.restarted();
            corpus.writeConversations(chat, talk, talkTokens);
            report(chat, talk);
        }
        if (heldOut != null) {
            corpus.writeHeldOut(heldOut, EXERCISES_OF_A_SKILL);
            PrintWriter console = spec.commandLine().getOut();
            console.printf(
                    Locale.ROOT,
                    "%s: %d exercises of each of %d skills%n",
                    heldOut,
                    EXERCISES_OF_A_SKILL,
                    corpus.skills().size());
            console.flush();
        }
        return 0;
    }

    private void report(Path file, TokenCount count) throws IOException {
        PrintWriter console = spec.commandLine().getOut();
        console.printf(Locale.ROOT, "%s: %,d %s, %,d bytes%n", file, count.tokens(), count.unit(), Files.size(file));
        console.flush();
    }

    private static void checkFolder(String option, @Nullable Path file) {
        if (file == null) {
            return;
        }
        if (Files.isDirectory(file)) {
            throw new UserError(option + " is " + file + ", which is a folder: name a file");
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new UserError(option + " is " + file + ", whose folder does not exist: create it first");
        }
    }
}
