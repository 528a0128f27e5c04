package dev.weir.train;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The text that a tokenizer is trained on: all that there is to train on or, where that is much, every so manieth piece of it,
 * the same ones each time. Owned by one thread; read once.
 */
final class TokenizerSample implements Iterator<String>, Closeable {
    /** Enough for the words of a large vocabulary, and few enough for memory. */
    static final long MOST_BYTES = 1 << 26;

    private final Iterator<DataFile> files;
    private final long all;
    private final long every;
    private @Nullable DataPieces pieces;
    private @Nullable String next;
    private long read;

    /** A sample of the training parts of files, of not much more than so many bytes. */
    TokenizerSample(List<DataFile> files, long mostBytes) {
        this.files = files.iterator();
        all = files.stream().mapToLong(DataFile::cut).sum();
        every = Math.max(1, Math.ceilDiv(all, mostBytes));
    }

    /** What it is a sample of, for the user; empty if it is everything. */
    Optional<String> describe() {
        return every == 1
                ? Optional.empty()
                : Optional.of("the tokenizer learns from one in " + every + " pieces of the text, spread over its "
                        + PresetsCommand.quantity((double) all, "B"));
    }

    /** Trains a tokenizer with a special token that ends documents, and others. */
    BpeTrainer.Vocabulary train(int vocabularySize, List<String> controlTokens, WordCut cut) throws IOException {
        Iterable<String> texts = () -> this;
        List<String> special = new ArrayList<>(List.of(TrainingData.END_OF_TEXT));
        special.addAll(controlTokens);
        try {
            return BpeTrainer.train(texts, vocabularySize, special, cut);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    @Override
    public boolean hasNext() {
        try {
            while (next == null) {
                String piece = pieces == null ? null : pieces.next();
                if (piece != null) {
                    next = read++ % every == 0 ? piece : null;
                } else if (!open()) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean open() throws IOException {
        close();
        if (!files.hasNext()) {
            return false;
        }
        pieces = files.next().training(Seam.ofWords(), null);
        return true;
    }

    @Override
    public String next() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException("the sample has ended");
        }
        String piece = next;
        next = null;
        return piece;
    }

    @Override
    public void close() throws IOException {
        if (pieces != null) {
            pieces.close();
            pieces = null;
        }
    }
}
