package dev.weir.train;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The text of a part of a file in pieces that fit into memory, each of them to be tokenised for itself. Owned by one thread. */
interface DataPieces extends Closeable {
    /**
     * The next piece, not empty, or null after the last.
     *
     * @throws UserError if the file is not what it should be, naming the place
     */
    @Nullable
    String next() throws IOException;

    /** About how many bytes into the file the pieces so far reach. */
    long position();
}
