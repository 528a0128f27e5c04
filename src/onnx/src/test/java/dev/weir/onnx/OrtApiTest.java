package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The C API, called as a GPU's runner calls it, but with a session and tensors on the CPU. */
class OrtApiTest {
    private static final int FLOAT = 1;
    private static final int INT64 = 7;
    private static final int TOKENS = 3;

    private final ModelFolder folder = ModelFolder.open(TinyModel.folder("tiny-fp32"));
    private final OrtApi ort = OrtApi.get();
    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        arena.close();
    }

    private MemorySegment session(String file) throws OrtException {
        MemorySegment env = ort.createEnv(3, "test");
        MemorySegment options = ort.createSessionOptions();
        try {
            ort.addSessionConfigEntry(options, "session.intra_op.allow_spinning", "0");
            ort.disableMemPattern(options);
            return ort.createSession(env, file, options);
        } finally {
            ort.releaseSessionOptions(options);
            ort.releaseEnv(env);
        }
    }

    private void bind(
            MemorySegment binding, MemorySegment info, String name, MemorySegment data, int type, long... dims)
            throws OrtException {
        MemorySegment value = ort.createTensor(info, data, data.byteSize(), type, dims);
        ort.bindInput(binding, arena.allocateFrom(name), value);
        ort.releaseValue(value);
    }

    @Test
    void aBoundRunGivesTheLogitsOfTheJavaApi() throws OrtException {
        int[] text = {5, 9, 11};
        float[] expected;
        try (TinyModel model = TinyModel.open("tiny-fp32", 1)) {
            expected = model.prefill(0, text, 0, TOKENS, TOKENS);
        }
        MemorySegment session = session(folder.modelFile().toString());
        MemorySegment info = ort.createMemoryInfo("Cpu", 0);
        MemorySegment binding = ort.createIoBinding(session);
        MemorySegment options = ort.createRunOptions();
        ort.addRunConfigEntry(options, "disable_synchronize_execution_providers", "1");

        bind(binding, info, "input_ids", arena.allocateFrom(ValueLayout.JAVA_LONG, 5, 9, 11), INT64, 1, TOKENS);
        bind(binding, info, "position_ids", arena.allocateFrom(ValueLayout.JAVA_LONG, 0, 1, 2), INT64, 1, TOKENS);
        bind(binding, info, "attention_mask", arena.allocateFrom(ValueLayout.JAVA_LONG, 1, 1, 1), INT64, 1, TOKENS);
        long room = 8;
        long bytes = room * Float.BYTES * folder.kvHeads() * folder.headSize();
        for (int layer = 0; layer < folder.layers(); layer++) {
            for (String kind : new String[] {"key", "value"}) {
                MemorySegment cache = ort.createTensor(
                        info, arena.allocate(bytes, 64), bytes, FLOAT, 1, folder.kvHeads(), room, folder.headSize());
                ort.bindInput(binding, arena.allocateFrom("past_key_values." + layer + "." + kind), cache);
                ort.bindOutput(binding, arena.allocateFrom("present." + layer + "." + kind), cache);
                ort.releaseValue(cache);
            }
        }
        MemorySegment logits = arena.allocate(ValueLayout.JAVA_FLOAT, folder.vocabularySize());
        MemorySegment value = ort.createTensor(info, logits, logits.byteSize(), FLOAT, 1, 1, folder.vocabularySize());
        ort.bindOutput(binding, arena.allocateFrom("logits"), value);
        ort.releaseValue(value);
        ort.runWithBinding(session, options, binding);

        assertThat(logits.toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(expected);
        ort.releaseRunOptions(options);
        ort.releaseIoBinding(binding);
        ort.releaseMemoryInfo(info);
        ort.releaseSession(session);
    }

    @Test
    void aSessionTellsItsInputsAndOutputs() throws OrtException {
        MemorySegment session = session(folder.modelFile().toString());
        assertThat(ort.sessionInputs(session)).containsKeys("input_ids", "past_key_values.0.key");
        TensorType ids = ort.sessionInputs(session).get("input_ids");
        assertThat(ids.element()).isEqualTo(INT64);
        assertThat(ids.dims()).containsExactly(-1, -1);
        TensorType logits = ort.sessionOutputs(session).get("logits");
        assertThat(logits.element()).isEqualTo(FLOAT);
        assertThat(logits.dims()).endsWith(folder.vocabularySize());
        ort.releaseSession(session);
    }

    @Test
    void whatFailsSaysWhyInTheWordsOfTheLibrary() {
        assertThatThrownBy(() -> session("no-such-file.onnx"))
                .isInstanceOf(OrtException.class)
                .hasMessageContaining("no-such-file.onnx");
    }
}
