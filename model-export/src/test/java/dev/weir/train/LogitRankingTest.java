package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogitRankingTest {
    private static final int ROWS = 7;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {50, 64, 257, 1024, 4096, 29 * 300, 50257})
    void theLargestComeInOrderWithTheirIds(int vocabulary) throws IOException, OrtException {
        OnnxGraphBuilder graph = new OnnxGraphBuilder("ranking");
        graph.input("logits", DataType.FLOAT, "rows", vocabulary);
        LogitRanking.add(graph, "logits", vocabulary, "rows");
        Path file = folder.resolve("ranking.onnx");
        OnnxModelFile.write(graph, file, OnnxModelFile.INLINE_LIMIT);

        Random random = new Random(vocabulary);
        float[] logits = new float[ROWS * vocabulary];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) random.nextGaussian(); // so fine that no two of a row are alike
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(file.toString());
                OnnxTensor tensor =
                        OnnxTensor.createTensor(environment, FloatBuffer.wrap(logits), new long[] {ROWS, vocabulary});
                OrtSession.Result result = session.run(Map.of("logits", tensor))) {
            float[][] top = (float[][]) result.get("top_logits").orElseThrow().getValue();
            long[][] ids = (long[][]) result.get("top_ids").orElseThrow().getValue();
            for (int row = 0; row < ROWS; row++) {
                float[] sorted = Arrays.copyOfRange(logits, row * vocabulary, (row + 1) * vocabulary);
                Arrays.sort(sorted);
                assertThat(top[row]).hasSize(Math.min(64, vocabulary));
                for (int rank = 0; rank < top[row].length; rank++) {
                    assertThat(top[row][rank]).isEqualTo(sorted[vocabulary - 1 - rank]);
                    assertThat(logits[row * vocabulary + (int) ids[row][rank]]).isEqualTo(top[row][rank]);
                }
            }
        }
    }
}
