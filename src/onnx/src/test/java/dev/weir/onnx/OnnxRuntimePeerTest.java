package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxRuntimePeerTest {
    private static final int NEW_TOKENS = 9;

    private final Peer peer = new OnnxRuntimePeer();
    private final Peer.Size size = new Peer.Size(2, 20, 1);

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int8-kv8"})
    void aBatchByTheJavaApiGeneratesTheTokensOfTheRunner(String model) {
        List<int[]> prompts = List.of(new int[] {5, 17, 3, 80, 41}, new int[] {9, 2, 60, 7, 33});
        try (Peer.Session session = peer.load(TinyModel.folder(model), size);
                TinyModel alone = TinyModel.open(model, 1)) {
            for (int turn = 0; turn < 2; turn++) {
                TokenTimes times = session.run(
                        prompts.stream().map(ids -> new Peer.Prompt("", ids)).toList(), NEW_TOKENS);
                assertThat(times.gaps().toArray()).hasSize(2 * (NEW_TOKENS - 1));
            }
            long[] newest = ((OnnxRuntimePeer.HostTensors) session).newest();
            for (int sequence = 0; sequence < 2; sequence++) {
                assertThat(newest[sequence]).isEqualTo(lastOf(alone, prompts.get(sequence)));
            }
            assertThat(session.traffic()).as("nothing but the CPU computes").isEmpty();
        }
    }

    private static int lastOf(TinyModel model, int[] prompt) {
        int token = argmax(model.prefill(0, prompt, 0, prompt.length, prompt.length));
        for (int i = 0; i < NEW_TOKENS - 1; i++) {
            token = argmax(model.decodeAlone(token, prompt.length + i));
        }
        return token;
    }

    private static int argmax(float[] scores) {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            best = scores[i] > scores[best] ? i : best;
        }
        return best;
    }

    @Test
    void itIsFoundAndRefusesWhatItCannotRun(@TempDir Path folder) throws IOException {
        assertThat(ServiceLoader.load(Peer.class)).extracting(Peer::name).contains("onnxruntime");
        assertThatThrownBy(() -> peer.load(folder.resolve("nowhere"), size))
                .hasMessageContaining("--peer onnxruntime has no model: there is no model folder");

        Path paged = Files.createDirectory(folder.resolve("paged"));
        Path own = TinyModel.folder("tiny-fp32");
        Files.copy(own.resolve("model.onnx"), paged.resolve("model.onnx"));
        String config = Files.readString(own.resolve(ModelFolder.CONFIG_FILE));
        Files.writeString(
                paged.resolve(ModelFolder.CONFIG_FILE),
                config.substring(0, config.lastIndexOf('}')) + ", \"engine\": {\"dynamic_batching\": {}}}");
        assertThatThrownBy(() -> peer.load(paged, size))
                .hasMessageContaining("give an export with --target cuda-slots");

        try (Peer.Session session = peer.load(own, size)) {
            List<Peer.Prompt> ragged =
                    List.of(new Peer.Prompt("", new int[] {1, 2}), new Peer.Prompt("", new int[] {1}));
            assertThatThrownBy(() -> session.run(ragged, 2)).hasMessageContaining("several lengths");
        }
    }
}
