package dev.weir.train;

import java.util.ArrayList;
import java.util.List;

/**
 * The inputs of one run of a graph with paged attention, for the tokens of some sequences one after the other.
 *
 * @param blockTable {@code [sequences, most blocks]}, filled up with zeros
 * @param metadata most new tokens of a sequence, most tokens of one
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PagedStep(
        int[] ids,
        int[] positions,
        int[] cumulative,
        int[] past,
        int[][] blockTable,
        int[] slotMapping,
        int[] metadata,
        int[] wanted) {

    /** So many tokens of a text from one on, and the blocks that hold what is before and where they go. */
    record Piece(int[] text, int start, int length, int[] blocks) {}

    /** A step that wants the logits of the last token of each piece. */
    static PagedStep of(int blockSize, List<Piece> pieces) {
        List<Integer> ids = new ArrayList<>();
        List<Integer> positions = new ArrayList<>();
        List<Integer> slots = new ArrayList<>();
        int[] cumulative = new int[pieces.size() + 1];
        int[] past = new int[pieces.size()];
        int[] wanted = new int[pieces.size()];
        int[] metadata = new int[2];
        int columns =
                pieces.stream().mapToInt(piece -> piece.blocks.length).max().orElseThrow();
        int[][] table = new int[pieces.size()][columns];
        for (int b = 0; b < pieces.size(); b++) {
            Piece piece = pieces.get(b);
            for (int position = piece.start; position < piece.start + piece.length; position++) {
                ids.add(piece.text[position]);
                positions.add(position);
                slots.add(piece.blocks[position / blockSize] * blockSize + position % blockSize);
            }
            cumulative[b + 1] = ids.size();
            past[b] = piece.start;
            wanted[b] = ids.size() - 1;
            System.arraycopy(piece.blocks, 0, table[b], 0, piece.blocks.length);
            metadata[0] = Math.max(metadata[0], piece.length);
            metadata[1] = Math.max(metadata[1], piece.start + piece.length);
        }
        return new PagedStep(array(ids), array(positions), cumulative, past, table, array(slots), metadata, wanted);
    }

    /** The same step with logits of other tokens. */
    PagedStep wanting(int... tokens) {
        return new PagedStep(ids, positions, cumulative, past, blockTable, slotMapping, metadata, tokens);
    }

    private static int[] array(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }
}
