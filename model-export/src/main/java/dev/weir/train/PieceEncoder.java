package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Turns pieces of text into token ids on several threads, and hands them on in the order of the text. Owned by one thread,
 * which reads and hands on; never holds more than a few pieces for each of the others.
 */
final class PieceEncoder {
    /** Small documents are given to a thread together. */
    private static final int PARCEL_CHARS = 1 << 18;

    private static final int PARCELS_PER_THREAD = 2;

    private final Tokenizer tokenizer;
    private final DataFormat format;
    private final int endOfText;
    private final int threads;

    /**
     * An encoder.
     *
     * @param endOfText the token that follows each document of JSON lines; not used for plain text, which spells its own
     */
    PieceEncoder(Tokenizer tokenizer, DataFormat format, int endOfText, int threads) {
        this.tokenizer = tokenizer;
        this.format = format;
        this.endOfText = endOfText;
        this.threads = threads;
    }

    /** Who takes the ids. */
    interface Sink {
        /**
         * The ids that come next, of several pieces.
         *
         * @param position about how many bytes into the file they reach
         */
        void accept(List<int[]> ids, long position) throws IOException;
    }

    private record Parcel(Future<List<int[]>> ids, long position) {}

    void encode(DataPieces pieces, Sink sink) throws IOException {
        Queue<Parcel> ahead = new ArrayDeque<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            for (List<String> texts = read(pieces); !texts.isEmpty(); texts = read(pieces)) {
                List<String> parcel = texts;
                ahead.add(new Parcel(pool.submit(() -> encode(parcel)), pieces.position()));
                if (ahead.size() > PARCELS_PER_THREAD * threads) {
                    handOn(ahead.remove(), sink);
                }
            }
            while (!ahead.isEmpty()) {
                handOn(ahead.remove(), sink);
            }
        }
    }

    private static List<String> read(DataPieces pieces) throws IOException {
        List<String> texts = new ArrayList<>();
        int chars = 0;
        String piece;
        while (chars < PARCEL_CHARS && (piece = pieces.next()) != null) {
            texts.add(piece);
            chars += piece.length();
        }
        return texts;
    }

    private List<int[]> encode(List<String> texts) {
        return texts.stream().map(this::encode).toList();
    }

    private int[] encode(String text) {
        return switch (format) {
            case DataFormat.Plain() -> tokenizer.encode(text, true);
            case DataFormat.JsonLines _ -> {
                int[] ids = tokenizer.encode(text);
                int[] ended = Arrays.copyOf(ids, ids.length + 1);
                ended[ids.length] = endOfText;
                yield ended;
            }
        };
    }

    private static void handOn(Parcel parcel, Sink sink) throws IOException {
        try {
            sink.accept(parcel.ids.get(), parcel.position);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while tokenising", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a piece of the text could not be tokenised", e.getCause());
        }
    }
}
