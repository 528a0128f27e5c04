package dev.weir.train;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.OptionalInt;

/**
 * Token ids in a file mapped into memory, or in memory, in two or four bytes each. Any thread, once {@link #turnDocuments} has
 * been called if it is to be.
 */
final class TokenIds {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment ids;
    private final int bytesPerId;

    /** Little-endian ids, unsigned where they have two bytes. */
    TokenIds(MemorySegment ids, int bytesPerId) {
        this.ids = ids;
        this.bytesPerId = bytesPerId;
    }

    static TokenIds of(int... ids) {
        TokenIds copy = new TokenIds(MemorySegment.ofArray(new int[ids.length]), Integer.BYTES);
        for (int i = 0; i < ids.length; i++) {
            copy.set(i, ids[i]);
        }
        return copy;
    }

    /** How many bytes each id of a vocabulary needs. */
    static int bytesPerId(int vocabulary) {
        return vocabulary <= 1 << Short.SIZE ? Short.BYTES : Integer.BYTES;
    }

    long length() {
        return ids.byteSize() / bytesPerId;
    }

    int at(long index) {
        return bytesPerId == Short.BYTES
                ? Short.toUnsignedInt(ids.get(SHORT, index * Short.BYTES))
                : ids.get(INT, index * Integer.BYTES);
    }

    private void set(long index, int id) {
        if (bytesPerId == Short.BYTES) {
            ids.set(SHORT, index * Short.BYTES, (short) id);
        } else {
            ids.set(INT, index * Integer.BYTES, id);
        }
    }

    /** Brings ids into the order of {@link Direction#RTL} where they are: the twin of {@link Direction#order}. */
    void turnDocuments(OptionalInt endOfText) {
        long start = 0;
        for (long end = 0; end <= length(); end++) {
            if (end == length() || (endOfText.isPresent() && at(end) == endOfText.getAsInt())) {
                for (long left = start, right = end - 1; left < right; left++, right--) {
                    int id = at(left);
                    set(left, at(right));
                    set(right, id);
                }
                start = end + 1;
            }
        }
    }
}
