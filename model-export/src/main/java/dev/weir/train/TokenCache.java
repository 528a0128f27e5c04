package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A folder that keeps the tokens of files, so that each is tokenised once for a tokenizer. Owned by one thread; processes may
 * share the folder and then wait for each other. What it keeps is checked before it is used, and made again if it is not good.
 */
final class TokenCache {
    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Path folder;
    private final LongSupplier freeBytes;
    private final int threads;
    private final PrintStream console;

    /**
     * A folder, made when it is first needed.
     *
     * @param freeBytes tells what its disk has left
     * @param threads how many tokenise at once
     */
    TokenCache(Path folder, LongSupplier freeBytes, int threads, PrintStream console) {
        this.folder = folder;
        this.freeBytes = freeBytes;
        this.threads = threads;
        this.console = console;
    }

    /**
     * The tokens of a file: those kept, or made now.
     *
     * @param tokenizerSha256 digest of the tokenizer's files
     * @throws UserError if the file is not what it should be or was written to, or the disk is too small
     */
    TokenShard shard(DataFile data, Tokenizer tokenizer, String tokenizerSha256, Direction direction)
            throws IOException {
        OptionalInt endOfText = endOfText(data, tokenizer);
        String recipe = data.format().label() + "; cut " + data.cut() + "; " + direction.label() + "; end " + endOfText;
        TokenShard.Key key =
                new TokenShard.Key(tokenizer.vocabularySize(), tokenizerSha256, data.sha256(), Sha256.of(recipe));
        Path path = Files.createDirectories(folder).resolve(key.fileName(data.file()));
        try (FileChannel channel =
                        FileChannel.open(folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = lock(channel)) {
            TokenShard kept = kept(path, key);
            if (kept != null) {
                return kept;
            }
            TokenShard.write(path, key, direction, endOfText, writer -> tokenize(data, tokenizer, endOfText, writer));
            return TokenShard.open(path, key);
        }
    }

    private FileLock lock(FileChannel channel) throws IOException {
        FileLock lock = channel.tryLock();
        if (lock != null) {
            return lock;
        }
        console.println("another process is tokenising in " + folder + ": waiting for it");
        return channel.lock();
    }

    /** The token between documents: the tokenizer's own, else GPT-2's where it must be added. */
    static OptionalInt endOfText(DataFile data, Tokenizer tokenizer) {
        OptionalInt named = tokenizer.eosId();
        if (named.isPresent() || data.format() instanceof DataFormat.Plain) {
            return named;
        }
        OptionalInt usual = tokenizer.id(TrainingData.END_OF_TEXT);
        if (usual.isEmpty()) {
            throw new UserError("the tokenizer has no token to end the documents of " + data.file()
                    + ": name its eos_token in tokenizer_config.json");
        }
        return usual;
    }

    private @Nullable TokenShard kept(Path path, TokenShard.Key key) throws IOException {
        if (!Files.exists(path)) {
            return null;
        }
        try {
            return TokenShard.open(path, key);
        } catch (TokenShard.UnusableException e) {
            console.println(path + " is no whole file of tokens, for it " + e.getMessage() + ": it is made again");
            return null;
        }
    }

    private void tokenize(DataFile data, Tokenizer tokenizer, OptionalInt endOfText, TokenShard.Writer writer)
            throws IOException {
        PieceEncoder encoder = new PieceEncoder(tokenizer, data.format(), endOfText.orElse(-1), threads);
        Seam seam = Seam.of(tokenizer);
        MessageDigest digest = Sha256.digest();
        long[] next = {System.nanoTime() + PROGRESS_NANOS};
        PieceEncoder.Sink sink = (ids, position) -> {
            for (int[] piece : ids) {
                writer.add(piece);
            }
            requireRoom(data, writer.bytes(), position);
            if (System.nanoTime() - next[0] >= 0) {
                console.printf(
                        Locale.ROOT,
                        "tokenising %s: %d of %d MB%n",
                        data.file().getFileName(),
                        position / 1_000_000,
                        data.bytes() / 1_000_000);
                next[0] = System.nanoTime() + PROGRESS_NANOS;
            }
        };
        try (DataPieces training = data.training(seam, digest)) {
            encoder.encode(training, sink);
        }
        writer.endOfTraining();
        try (DataPieces heldOut = data.heldOut(seam, digest)) {
            encoder.encode(heldOut, sink);
        }
        if (!Sha256.hex(digest).equals(data.sha256())) {
            throw new UserError("--data is " + data.file()
                    + ", which was written to while it was read: start again when it is complete");
        }
    }

    /** Refuses to go on when the rest, at as many bytes of tokens to a byte of text as so far, would not fit. */
    private void requireRoom(DataFile data, long written, long read) {
        double rest = (double) written / read * (data.bytes() - read);
        long free = freeBytes.getAsLong();
        if (rest > free) {
            throw new UserError("the tokens of " + data.file() + " need about " + PresetsCommand.quantity(rest, "B")
                    + " more, and the disk of " + folder + " has "
                    + PresetsCommand.quantity((double) free, "B")
                    + " left: make room, or choose another place with --token-cache");
        }
    }
}
