package dev.weir.corpus;

import dev.weir.tokenizer.Tokenizer;
import dev.weir.train.UserError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Counts the tokens of texts: with a tokenizer, or as a quarter of the bytes. Owned by one thread. */
final class TokenCount {
    private static final int BYTES_PER_TOKEN = 4;

    private final @Nullable Tokenizer tokenizer;
    private long units;

    private TokenCount(@Nullable Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** A count by bytes, or by the tokenizer of a folder. */
    static TokenCount with(@Nullable Path folder) throws IOException {
        if (folder == null) {
            return new TokenCount(null);
        }
        if (!Files.isRegularFile(folder.resolve("tokenizer.json"))) {
            throw new UserError("--tokenizer is " + folder + ", which has no tokenizer.json");
        }
        return new TokenCount(Tokenizer.load(folder));
    }

    void add(String text) {
        units += tokenizer == null ? text.getBytes(StandardCharsets.UTF_8).length : tokenizer.encode(text, true).length;
    }

    long tokens() {
        return tokenizer == null ? units / BYTES_PER_TOKEN : units;
    }

    /** What is counted, for messages. */
    String unit() {
        return tokenizer == null ? "tokens of four bytes" : "tokens";
    }

    TokenCount restarted() {
        return new TokenCount(tokenizer);
    }

    /**
     * A number of tokens such as 500K or 60M.
     *
     * @throws UserError if it is none, naming the option
     */
    static long parse(String option, String text, long least) {
        String digits = text.strip().toUpperCase(Locale.ROOT);
        long unit = digits.endsWith("K") ? 1_000 : digits.endsWith("M") ? 1_000_000 : 1;
        String number = unit == 1 ? digits : digits.substring(0, digits.length() - 1);
        long tokens;
        try {
            tokens = Math.multiplyExact(Long.parseLong(number), unit);
        } catch (NumberFormatException | ArithmeticException e) {
            throw new UserError(option + " is " + text + ": give a number such as 500K or 60M", e);
        }
        if (tokens < least) {
            throw new UserError(option + " is " + text + ": it must be at least " + least);
        }
        return tokens;
    }
}
