package dev.weir.onnx;

import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * The kernel that ranks logits against sorting, and the one that adds up weights against adding them up, on rows of all kinds, those of
 * many equal logits among them. Static functions.
 */
final class RankingCheck {
    private static final int ROWS = 12;

    private RankingCheck() {}

    static boolean run(ModelFolder cuda, CudaPlatform platform, PrintStream out) {
        boolean isGood = true;
        try (CudaSession session = CudaSession.open(cuda, CudaOptions.DEFAULT, platform)) {
            for (int vocabulary : new int[] {1, 50, 64, 257, 1024, 1025, 50_257, 128_256}) {
                isGood &= isRanked(session, vocabulary);
            }
        }
        out.println((isGood ? "ok     " : "FAILED ")
                + "ranking of logits and sums of weights: as sorting and adding up have them");
        return isGood;
    }

    private static boolean isRanked(CudaSession session, int vocabulary) {
        long stride = (vocabulary + 63L) / 64 * 64;
        int ranked = LogitRanking.ranked(vocabulary);
        MemorySegment logits = session.onDevice(ROWS * stride * Float.BYTES);
        MemorySegment scores = session.onDevice((long) ROWS * ranked * Float.BYTES);
        MemorySegment ids = session.onDevice((long) ROWS * ranked * Integer.BYTES);
        MemorySegment host = session.pinned(ROWS * stride * Float.BYTES);
        float[][] rows = new float[ROWS][];
        for (int row = 0; row < ROWS; row++) {
            rows[row] = row(vocabulary, row);
            host.asSlice(row * stride * Float.BYTES).fill((byte) 0x7F); // large numbers behind each row
            MemorySegment.copy(rows[row], 0, host, ValueLayout.JAVA_FLOAT, row * stride * Float.BYTES, vocabulary);
        }
        session.copy(logits, host, host.byteSize());
        new LogitRanking(session, logits, vocabulary, stride, scores, ids).run(ROWS);
        MemorySegment hostScores = session.pinned(scores.byteSize());
        MemorySegment hostIds = session.pinned(ids.byteSize());
        session.copy(hostScores, scores, scores.byteSize());
        session.copy(hostIds, ids, ids.byteSize());
        session.await();
        for (int row = 0; row < ROWS; row++) {
            float[] values = rows[row];
            int[] expected = IntStream.range(0, vocabulary)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer id) -> -values[id])
                            .thenComparing(id -> id))
                    .limit(ranked)
                    .mapToInt(Integer::intValue)
                    .toArray();
            int[] found = hostIds.asSlice((long) row * ranked * Integer.BYTES, (long) ranked * Integer.BYTES)
                    .toArray(ValueLayout.JAVA_INT);
            boolean isSame = Arrays.equals(expected, found);
            for (int rank = 0; rank < ranked && isSame; rank++) {
                isSame = hostScores.getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * ranked + rank)
                        == values[found[rank]];
            }
            if (!isSame) {
                return false;
            }
        }
        return areSums(session, logits, vocabulary, stride, scores, ranked, rows);
    }

    /** Rows in another order, each with a temperature of its own. */
    private static boolean areSums(
            CudaSession session,
            MemorySegment logits,
            int vocabulary,
            long stride,
            MemorySegment scores,
            int ranked,
            float[][] rows) {
        WeightSums sums = new WeightSums(session, logits, vocabulary, stride, scores, ranked, ROWS);
        for (int i = 0; i < ROWS; i++) {
            sums.set(i, ROWS - 1 - i, inverse(i));
        }
        sums.run(ROWS);
        for (int i = 0; i < ROWS; i++) {
            float[] row = rows[ROWS - 1 - i];
            double largest = Double.NEGATIVE_INFINITY;
            for (float logit : row) {
                largest = Math.max(largest, logit);
            }
            double sum = 0;
            for (float logit : row) {
                sum += Math.exp((logit - largest) * inverse(i));
            }
            boolean isNumber = Double.isFinite(largest);
            if (isNumber ? Math.abs(sums.sum(i) / sum - 1) > 1e-4 : Float.isFinite(sums.sum(i))) {
                return false;
            }
        }
        return true;
    }

    /** From a temperature of 4 to one that leaves the largest alone. */
    private static float inverse(int row) {
        return row == 0 ? 1e30f : row / 4f;
    }

    /** Gaussian, coarse, all the same, ascending, far below zero, with infinities. */
    private static float[] row(int vocabulary, int kind) {
        Random random = new Random(31L * vocabulary + kind);
        float[] row = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            row[i] = (float)
                    switch (kind % 6) {
                        case 0 -> random.nextGaussian();
                        case 1 -> random.nextInt(kind) - 3;
                        case 2 -> -7;
                        case 3 -> i / 1000.0;
                        case 4 -> -90 + random.nextGaussian();
                        default -> random.nextInt(20) == 0 ? Double.NEGATIVE_INFINITY : 1e3 * random.nextGaussian();
                    };
        }
        return row;
    }
}
