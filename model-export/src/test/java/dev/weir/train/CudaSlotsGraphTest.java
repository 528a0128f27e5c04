package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.weir.onnx.ModelFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The graph for CUDA without blocks against the graph for the CPU, of the same weights, both run by the CPU. */
class CudaSlotsGraphTest {
    private static final String ALL = "dev.weir.train.SmallGpts#graphs";
    private static final int BATCH = 3;
    private static final int PROMPT = 11;
    private static final int LENGTH = 20;

    // As of the paged graph: PagedGraphTest says why.
    private static final float HALF_TOLERANCE = 0.01f;
    private static final float EIGHT_BIT_TOLERANCE = 0.05f;
    private static final float FLOAT_TOLERANCE = 1e-5f;
    private static final float ROTATION_TOLERANCE = 0.02f;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final long[][] texts = new long[BATCH][];

    @TempDir
    Path temporary;

    CudaSlotsGraphTest() {
        Random random = new Random(5);
        Arrays.setAll(texts, _ -> random.longs(LENGTH, 0, 270).toArray());
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aBatchInHalfFloatsGivesTheLogitsOfTheGraphForTheCpu(GptConfig config) throws Exception {
        assertSame(config, new GptGraphOptions(Precision.FP16), PagedArithmetic.HALF, HALF_TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void inBfloat16AllIsCalculatedThatTheGraphForTheCpuCalculates(GptConfig config) throws Exception {
        float tolerance = config.llama() == null ? FLOAT_TOLERANCE : ROTATION_TOLERANCE;
        assertSame(config, new GptGraphOptions(Precision.BF16), PagedArithmetic.WIDENED, tolerance);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anEightBitCacheDoesSoToo(GptConfig config) throws Exception {
        GptGraphOptions options = new GptGraphOptions(Precision.FP16);
        model("calibrated", config, options);
        KvScales scales = KvScales.calibrate(temporary.resolve("calibrated"), 1);
        assertSame(config, options.withKvScales(scales), PagedArithmetic.HALF, EIGHT_BIT_TOLERANCE);
    }

    private void assertSame(GptConfig config, GptGraphOptions onCpu, PagedArithmetic arithmetic, float tolerance)
            throws Exception {
        float[][][] expected = logits(config, ModelProto.parseFrom(model("cpu", config, onCpu)));
        ModelProto slots = ModelProto.parseFrom(model("slots", config, onCpu.withTarget(Target.CUDA_SLOTS)));
        float[][][] found = logits(config, arithmetic.of(slots));
        float largest = 0;
        for (int step = 0; step < expected.length; step++) {
            for (int row = 0; row < BATCH; row++) {
                for (int token = 0; token < config.vocabularySize(); token++) {
                    largest = Math.max(largest, Math.abs(found[step][row][token] - expected[step][row][token]));
                }
            }
        }
        assertThat(largest).isLessThanOrEqualTo(tolerance);
    }

    private byte[] model(String name, GptConfig config, GptGraphOptions options) throws IOException {
        Path folder = temporary.resolve(name);
        ExportSource source =
                new ExportSource(new NoisyGptWeights(config, 3), OptionalInt.of(7), Map.of(), "a test", "");
        ModelFolderWriter.write(folder, source, options, _ -> "");
        assertThat(ModelFolder.open(folder).blockSize()).isZero();
        return Files.readAllBytes(folder.resolve("model.onnx"));
    }

    /** Logits of each row after the prompts and after each token from there on: {@code [step][row][token]}. */
    private float[][][] logits(GptConfig config, ModelProto model) throws OrtException {
        float[][][] logits = new float[LENGTH - PROMPT + 1][BATCH][];
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                OrtSession session = environment.createSession(model.toByteArray(), options)) {
            OrtSession.@Nullable Result before = null;
            for (int step = 0; step < logits.length; step++) {
                int past = step == 0 ? 0 : PROMPT + step - 1;
                before = run(config, session, past, PROMPT + step, before);
                float[][][] rows =
                        (float[][][]) before.get("logits").orElseThrow().getValue();
                for (int row = 0; row < BATCH; row++) {
                    logits[step][row] = rows[row][0];
                }
            }
        }
        return logits;
    }

    private OrtSession.Result run(
            GptConfig config, OrtSession session, int past, int end, OrtSession.@Nullable Result before)
            throws OrtException {
        int tokens = end - past;
        long[] ids = Arrays.stream(texts)
                .flatMapToLong(text -> Arrays.stream(text, past, end))
                .toArray();
        long[] positions = new long[ids.length];
        Arrays.setAll(positions, i -> past + i % tokens);
        long[] mask = new long[BATCH * end];
        Arrays.fill(mask, 1);
        Map<String, OnnxTensor> inputs = new HashMap<>();
        inputs.put("input_ids", tensor(ids));
        inputs.put("attention_mask", tensor(mask));
        if (config.llama() == null) {
            inputs.put("position_ids", tensor(positions));
        }
        for (String name : session.getInputNames()) {
            if (name.startsWith("past_key_values.")) {
                String present = name.replace("past_key_values", "present");
                inputs.put(
                        name,
                        before == null
                                ? empty(config, session, name)
                                : (OnnxTensor) before.get(present).orElseThrow());
            }
        }
        return session.run(inputs);
    }

    private OnnxTensor tensor(long[] values) throws OrtException {
        return OnnxTensor.createTensor(environment, LongBuffer.wrap(values), new long[] {BATCH, values.length / BATCH});
    }

    private OnnxTensor empty(GptConfig config, OrtSession session, String name) throws OrtException {
        OnnxJavaType type = ((TensorInfo) session.getInputInfo().get(name).getInfo()).type;
        long[] shape = {BATCH, config.kvHeads(), 0, config.headSize()};
        return OnnxTensor.createTensor(environment, ByteBuffer.allocateDirect(0), shape, type);
    }
}
