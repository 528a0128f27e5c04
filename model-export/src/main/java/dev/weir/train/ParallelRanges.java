package dev.weir.train;

import java.util.stream.IntStream;

/** Loops over large arrays on all processors. Static functions; any thread. */
final class ParallelRanges {
    /** Small enough that the processors finish together. */
    private static final int LENGTH = 1 << 16;

    private ParallelRanges() {}

    /** What is done with the elements from {@code start} to before {@code end}. */
    interface Body {
        void run(int start, int end);
    }

    /** Calls the body, from several threads, with ranges that cover each element of 0 to before {@code length} once. */
    static void forEach(int length, Body body) {
        IntStream.range(0, Math.ceilDiv(length, LENGTH)).parallel().forEach(range -> {
            int start = range * LENGTH;
            body.run(start, start + Math.min(LENGTH, length - start));
        });
    }
}
