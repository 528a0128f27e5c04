package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.weir.onnx.HeadRunner;
import dev.weir.onnx.ModelFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Logits are linear in what the last norm gives. So the mean of all tokens' logits, which the first graph gives, is the product of
 * the second graph's mean with the token embedding.
 */
class EmbeddingGraphTest {
    private static final int[] TEXT = new Random(5).ints(17, 0, 270).toArray();

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    static List<GptConfig> configs() {
        return List.of(SmallGpts.GPT1, SmallGpts.GPT2, SmallGpts.GPT3);
    }

    @ParameterizedTest
    @MethodSource("configs")
    void bothGraphsSayTheSameOfAText(GptConfig config) throws IOException {
        GptWeights weights = new NoisyGptWeights(config, 4);
        ModelFolder model = export("model", weights, Precision.FP32);

        float[] mean = embedding(model);

        double[] expected = new double[config.vocabularySize()];
        try (HeadRunner logits = HeadRunner.open(model, "logits", 0, 1)) {
            for (int length = 1; length <= TEXT.length; length++) {
                float[] said = logits.run(Arrays.copyOf(TEXT, length));
                for (int token = 0; token < said.length; token++) {
                    expected[token] += said[token] / (double) TEXT.length;
                }
            }
        }
        float[] table = weights.tensor(config.family().tokenEmbedding());
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        assertThat(largest).isGreaterThan(0.1);
        for (int token = 0; token < expected.length; token++) {
            double product = 0;
            for (int i = 0; i < config.width(); i++) {
                product += (double) mean[i] * table[token * config.width() + i];
            }
            assertThat(product).isCloseTo(expected[token], within(1e-4));
        }
    }

    @Test
    void everyPrecisionHasOneAndTheWeightsAreThereOnce() throws IOException {
        GptWeights weights = new NoisyGptWeights(SmallGpts.GPT2, 4);
        float[] exact = embedding(export("exact", weights, Precision.FP32));
        for (Precision precision : Precision.values()) {
            ModelFolder model = export(precision.label(), weights, precision);
            assertThat(cosine(embedding(model), exact)).as(precision.label()).isGreaterThan(0.98);
            assertThat(Files.size(model.path().resolve("embeddings.onnx"))).isLessThan(50_000);
        }
    }

    @Test
    void exportWritesItWhereItIsAskedTo() throws IOException {
        Path checkpoint = folder.resolve("checkpoint");
        Checkpoint.write(checkpoint, new NoisyGptWeights(SmallGpts.GPT2, 4), OptionalInt.of(269));
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(270));
        Path out = folder.resolve("out");

        assertThat(run("export", "--checkpoint", checkpoint, "--embeddings", "--out", out))
                .isEmpty();
        assertThat(out.resolve("README.md")).content().contains("- embeddings of 64 numbers: `embeddings.onnx`");
        assertThat(embedding(ModelFolder.open(out))).hasSize(64);
        assertThat(run("export", "--random", "llama-3.2-1b", "--embeddings", "--out", folder.resolve("x")))
                .contains("is a Llama");
        assertThat(run("export", "--random", "tiny", "--target", "cuda", "--embeddings", "--out", folder.resolve("x")))
                .contains("--embeddings writes a graph for the CPU");
    }

    private static String run(Object... args) {
        StringWriter errors = new StringWriter();
        TrainMain.commandLine()
                .setOut(new PrintWriter(new StringWriter(), true))
                .setErr(new PrintWriter(errors, true))
                .execute(Arrays.stream(args).map(String::valueOf).toArray(String[]::new));
        return errors.toString();
    }

    private ModelFolder export(String name, GptWeights weights, Precision precision) throws IOException {
        ExportSource random = ExportSource.random(weights.config(), 1);
        ExportSource source = new ExportSource(weights, random.endOfText(), random.files(), "noise", "");
        Path path = folder.resolve(name);
        ModelFolderWriter.write(path, source, new GptGraphOptions(precision).withEmbeddings(true), _ -> "");
        return ModelFolder.open(path);
    }

    private static float[] embedding(ModelFolder model) {
        try (HeadRunner runner =
                HeadRunner.open(model.embeddings().orElseThrow(), ModelFolder.EMBEDDINGS_OUTPUT, 0, 1)) {
            return runner.run(TEXT);
        }
    }

    private static double cosine(float[] a, float[] b) {
        return LogProbabilities.cosine(a, b);
    }
}
