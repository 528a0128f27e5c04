package dev.weir.train;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;

/**
 * The largest logits of each row, in order, and their ids, as outputs of a graph for CUDA: what most sampling needs, so that the
 * rows themselves stay on the device. Static functions.
 *
 * <p>ONNX Runtime's TopK has one block of threads look at a whole row. So where the vocabulary can be divided, its parts are
 * ranked first, each by a block of its own, and then the winners.
 */
final class LogitRanking {
    static final String LOGITS = "top_logits";
    static final String IDS = "top_ids";

    /** Logits of a row that are ranked: as many as requests ask for in a top-k. */
    private static final int RANKED = 64;

    private static final int FEWEST_PARTS = 8;
    private static final int MOST_PARTS = 64;

    private LogitRanking() {}

    /**
     * Adds the outputs.
     *
     * @param logits float32 [rows, vocabularySize]
     * @param rows the name of that dimension
     */
    static void add(OnnxGraphBuilder graph, String logits, int vocabularySize, String rows) {
        int count = Math.min(RANKED, vocabularySize);
        String k = graph.longs("head/ranked", count);
        int parts = parts(vocabularySize, count);
        if (parts == 1) {
            topK(graph, "head/TopK", logits, k, LOGITS, IDS);
        } else {
            int size = vocabularySize / parts;
            String divided = graph.node("Reshape", "head/parts/Reshape")
                    .in(logits, graph.longs("head/parts/shape", -1, parts, size))
                    .out();
            topK(graph, "head/parts/TopK", divided, k, "head/parts/logits", "head/parts/offsets");
            String ids = graph.node("Add", "head/parts/Add")
                    .in("head/parts/offsets", graph.longs("head/parts/starts", starts(parts, size), parts, 1))
                    .out();
            String flat = graph.longs("head/winners/shape", -1, (long) parts * count);
            String winners = graph.node("Reshape", "head/winners/Reshape")
                    .in("head/parts/logits", flat)
                    .out();
            String winnerIds = graph.node("Reshape", "head/winners/ids/Reshape")
                    .in(ids, flat)
                    .out();
            topK(graph, "head/winners/TopK", winners, k, LOGITS, "head/winners/places");
            graph.node("GatherElements", IDS)
                    .in(winnerIds, "head/winners/places")
                    .with("axis", 1)
                    .out();
        }
        graph.output(LOGITS, DataType.FLOAT, rows, count);
        graph.output(IDS, DataType.INT64, rows, count);
    }

    private static void topK(OnnxGraphBuilder graph, String name, String x, String k, String values, String places) {
        graph.node("TopK", name).in(x, k).with("axis", -1).to(values, places);
    }

    /** Into how many parts of one size rows are divided, none of them smaller than what is ranked; 1 for not at all. */
    static int parts(int vocabularySize, int count) {
        for (int parts = MOST_PARTS; parts >= FEWEST_PARTS; parts--) {
            if (vocabularySize % parts == 0 && vocabularySize / parts >= count) {
                return parts;
            }
        }
        return 1;
    }

    private static long[] starts(int parts, int size) {
        long[] starts = new long[parts];
        for (int i = 0; i < parts; i++) {
            starts[i] = (long) i * size;
        }
        return starts;
    }
}
