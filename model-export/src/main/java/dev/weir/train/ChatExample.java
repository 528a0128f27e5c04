package dev.weir.train;

/**
 * A conversation as its template writes it. Immutable by contract; any thread.
 *
 * @param ids every token, two at least
 * @param places of the tokens whose successor is the assistant's, in order
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ChatExample(int[] ids, int[] places) {
    /** Tokens that go through the model: the last is only predicted. */
    int length() {
        return ids.length - 1;
    }
}
