package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.onnx.Peer;
import dev.weir.onnx.TokenTimes;
import dev.weir.peers.JlamaPeer;
import dev.weir.peers.LlamaCppPeer;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The peers on what this project exports; in the trainer's package, whose command line writes it. */
class PeersTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"gguf,fp32", "gguf,int8", "safetensors,fp32"})
    void eachPeerRunsAnExportAndShowsEveryToken(String format, String precision) throws IOException {
        Path model = folder.resolve("model");
        Path words = folder.resolve("words");
        export(format, precision, model);
        export("safetensors", "fp32", words);
        Peer peer = format.equals("gguf") ? new LlamaCppPeer() : new JlamaPeer();
        Path weights = format.equals("gguf") ? model.resolve("model.gguf") : model;
        Tokenizer tokenizer = Tokenizer.load(words);
        List<Peer.Prompt> prompts = List.of(prompt(tokenizer, " a b c d"), prompt(tokenizer, " e f g h"));

        try (Peer.Session session = peer.load(weights, new Peer.Size(2, 9, 1))) {
            for (int turn = 0; turn < 2; turn++) {
                TokenTimes times = session.run(prompts, 5);
                assertThat(times.sequences()).isEqualTo(2);
                assertThat(times.firstTokens().toArray()).hasSize(2);
                assertThat(times.gaps().toArray()).hasSizeBetween(1, 8);
            }
        }
    }

    @Test
    void allAreFoundAndNameAModelThatIsNotThere() {
        assertThat(ServiceLoader.load(Peer.class))
                .extracting(Peer::name)
                .containsExactlyInAnyOrder("onnxruntime", "llama.cpp", "jlama");
        for (Peer peer : ServiceLoader.load(Peer.class)) {
            assertThatThrownBy(() -> peer.load(folder.resolve("nowhere"), new Peer.Size(1, 8, 1)))
                    .hasMessageContaining("--peer " + peer.name() + " has no ")
                    .hasMessageContaining("nowhere");
        }
    }

    @Test
    void anotherTokenizerThanTheModelsIsRefused() throws IOException {
        export("gguf", "fp32", folder.resolve("model"));
        try (Peer.Session session =
                new LlamaCppPeer().load(folder.resolve("model/model.gguf"), new Peer.Size(1, 9, 1))) {
            List<Peer.Prompt> wrong = List.of(new Peer.Prompt(" a b", new int[] {1, 2}));
            assertThatThrownBy(() -> session.run(wrong, 2)).hasMessageContaining("tokenizes otherwise");
        }
    }

    private static Peer.Prompt prompt(Tokenizer tokenizer, String text) {
        return new Peer.Prompt(text, tokenizer.encode(text));
    }

    private static void export(String format, String precision, Path out) {
        int exit = TrainMain.run(
                "export",
                "--random",
                "2/2/64/64/300",
                "--format",
                format,
                "--precision",
                precision,
                "--out",
                out.toString());
        assertThat(exit).isZero();
    }
}
