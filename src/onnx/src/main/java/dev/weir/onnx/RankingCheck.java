package dev.weir.onnx;

import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;

/** The kernel that ranks logits against sorting, on rows of all kinds, those of many equal logits among them. Static functions. */
final class RankingCheck {
    private static final int ROWS = 12;

    private RankingCheck() {}

    static boolean run(ModelFolder cuda, CudaPlatform platform, PrintStream out) {
        boolean isGood = true;
        try (CudaSession session = CudaSession.open(cuda, CudaOptions.DEFAULT, platform);
                Arena arena = Arena.ofConfined()) {
            for (int vocabulary : new int[] {1, 50, 64, 257, 1024, 1025, 50_257, 128_256}) {
                isGood &= isRanked(session, arena, vocabulary);
            }
        }
        out.println((isGood ? "ok     " : "FAILED ") + "ranking of logits: as sorting has it");
        return isGood;
    }

    private static boolean isRanked(CudaSession session, Arena arena, int vocabulary) {
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
        new LogitRanking(session, arena, logits, vocabulary, stride, scores, ids).run(ROWS);
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
        return true;
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
