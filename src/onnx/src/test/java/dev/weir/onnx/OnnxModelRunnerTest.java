package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.PrefixPool;
import dev.weir.engine.StepPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxModelRunnerTest {
    private static final int[] TEXT = {5, 17, 200, 3, 42};

    @Test
    void theShapeIsTheFoldersWithinTheOptions() {
        ModelFolder folder = ModelFolder.open(TinyModel.folder("tiny-fp32"));
        try (OnnxModelRunner runner = OnnxModelRunner.open(folder, new RunnerOptions(5, 0, 40, 1))) {
            assertThat(runner.shape().vocabularySize()).isEqualTo(300);
            assertThat(runner.shape().slots()).isEqualTo(5);
            assertThat(runner.shape().maxTokens()).isEqualTo(40);
            assertThat(runner.shape().eosTokenIds()).containsExactly(299);
            assertThat(runner.threads()).isEqualTo(1);
            assertThat(runner.cacheSize().isReduced()).isFalse();
            assertThat(runner.prefixCacheSize().bytes()).isZero();
            assertThat(runner.shape().prefixPool().blocks()).isZero();
            // 2 layers of keys and values, 2 heads of 32 floats
            assertThat(runner.cacheSize().bytes()).isEqualTo(5 * 40 * 2 * 2 * 2 * 32 * 4);
        }
        // Blocks of 16 tokens of 1 KiB each: there is room for seven and not quite for eight.
        try (OnnxModelRunner runner = OnnxModelRunner.open(folder, new RunnerOptions(1, 0, 0, 1, (128 << 10) - 1))) {
            assertThat(runner.prefixCacheSize().bytes()).isEqualTo(112 << 10);
            assertThat(runner.shape().prefixPool()).isEqualTo(new PrefixPool(7, 16, false));
        }
        try (OnnxModelRunner runner = OnnxModelRunner.open(folder, new RunnerOptions(1, 0, 0, 0))) {
            assertThat(runner.shape().maxTokens()).isEqualTo(128);
            assertThat(runner.threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
        }
    }

    @Test
    void refusedPlansChangeNothingAndLeaveTheModelUsable() {
        try (TinyModel model = TinyModel.open("tiny-fp32", 1)) {
            model.prefill(0, TEXT, 0, 3, 8);
            float[] expected = model.decodeAlone(TEXT[3], 3);

            assertRefused(model, "token 300 is not in the vocabulary of 300", plan -> plan.addDecodeRow(300, 3));
            assertRefused(model, "token -1", plan -> plan.addDecodeRow(-1, 3));
            assertRefused(model, "129 tokens do not fit a slot of 128", plan -> plan.addDecodeRow(1, 128));
            assertRefused(model, "slot 32 is not one of 32", plan -> plan.addMove(0, 32, 3));
            assertRefused(model, "slot 32", plan -> plan.addChunk(new PrefillChunk(32, TEXT, 0, TEXT.length, true)));
            assertRefused(model, "129 tokens", plan -> plan.addChunk(new PrefillChunk(0, new int[129], 0, 129, true)));
            int blocks = model.runner.shape().prefixPool().blocks();
            assertRefused(model, "block " + blocks + " is not one of " + blocks, plan -> plan.addLoad(blocks, 0, 0));
            assertRefused(model, "block -1", plan -> plan.addSave(0, 0, -1));
            assertRefused(model, "slot 32", plan -> plan.addSave(32, 0, 0));
            assertRefused(model, "129 tokens", plan -> plan.addLoad(0, 0, 113));
            assertRefused(model, "token 999", plan -> {
                // The chunk is in order and comes first, but nothing is computed before all is checked.
                plan.addChunk(new PrefillChunk(0, new int[9], 0, 9, false));
                plan.addDecodeRow(999, 3);
            });

            assertThat(model.decodeAlone(TEXT[3], 3)).isEqualTo(expected);
        }
    }

    private static void assertRefused(TinyModel model, String message, Consumer<StepPlan> fill) {
        model.plan.clear();
        fill.accept(model.plan);
        assertThatThrownBy(() -> model.runner.run(model.plan))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aPlanForMoreRowsThanSlotsIsRefused() {
        try (TinyModel model = TinyModel.open("tiny-fp32", 1)) {
            StepPlan larger = new StepPlan(TinyModel.SLOTS + 1);
            for (int row = 0; row <= TinyModel.SLOTS; row++) {
                larger.addDecodeRow(1, 0);
            }
            assertThatThrownBy(() -> model.runner.run(larger)).hasMessageContaining("33 decode rows for 32 slots");
        }
    }

    @Test
    void closingTwiceIsHarmlessAndRunningAfterwardsIsRefused() {
        TinyModel model = TinyModel.open("tiny-fp32", 1);
        model.prefill(0, TEXT, 0, 3, 8);
        model.close();
        model.close();
        assertThatThrownBy(() -> model.decodeAlone(1, 3))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("tiny-fp32 is closed");
    }

    @Test
    void settingsThatDoNotFitTheModelAreNamed() {
        ModelFolder folder = ModelFolder.open(TinyModel.folder("tiny-fp32"));
        assertThatThrownBy(() -> OnnxModelRunner.open(folder, new RunnerOptions(1, 0, 129, 1)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("max-tokens is 129")
                .hasMessageContaining("made for 128 tokens");
        assertThatThrownBy(() -> OnnxModelRunner.open(folder, new RunnerOptions(1, 1000, 0, 1)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("kv-cache-bytes is 1000");
        assertThatThrownBy(() -> new RunnerOptions(0, 0, 0, 0)).hasMessageContaining("max-sequences is 0");
    }

    @Test
    void anAnswerToWhatTheConfigurationGotWrongNamesTheFieldAndTheFile(@TempDir Path temporary) throws IOException {
        try (Stream<Path> files = Files.list(TinyModel.folder("tiny-fp32"))) {
            for (Path file : files.toList()) {
                Files.copy(file, temporary.resolve(file.getFileName()));
            }
        }
        assertWrong(temporary, "\"vocab_size\" : 300", "\"vocab_size\" : 301", "model.vocab_size is 301");
        assertWrong(temporary, "\"head_size\" : 32", "\"head_size\" : 16", "model.decoder.head_size is 16");
        assertWrong(
                temporary,
                "\"num_hidden_layers\" : 2",
                "\"num_hidden_layers\" : 1",
                "wants an input \"past_key_values.1.");
        assertWrong(
                temporary,
                "\"num_hidden_layers\" : 2",
                "\"num_hidden_layers\" : 3",
                "has no input tensor \"past_key_values.2.key\"");
        assertWrong(temporary, "\"logits\" : \"logits\"", "\"logits\" : \"scores\"", "has no output tensor \"scores\"");

        Files.writeString(temporary.resolve("model.onnx"), "not a model");
        assertThatThrownBy(() -> open(temporary))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("model.onnx cannot be loaded");
    }

    private static void assertWrong(Path folder, String right, String wrong, String message) throws IOException {
        Path config = folder.resolve(ModelFolder.CONFIG_FILE);
        String text = Files.readString(config);
        assertThat(text).contains(right);
        Files.writeString(config, text.replace(right, wrong));
        assertThatThrownBy(() -> open(folder))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(message);
        Files.writeString(config, text);
    }

    private static OnnxModelRunner open(Path folder) {
        return OnnxModelRunner.open(ModelFolder.open(folder), new RunnerOptions(1, 0, 0, 1));
    }

    @Test
    void eightBitModelsLoadInTheFormForProcessorsThatWouldOverflow() throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.addConfigEntry("session.x64quantprecision", "1");
            String file = TinyModel.folder("tiny-int8").resolve("model.onnx").toString();
            try (OrtSession session = OnnxRuntime.environment().createSession(file, options)) {
                assertThat(session.getInputNames()).contains("input_ids");
            }
        }
    }

    @Test
    void theBareLoopReportsEachTokenAndWhatDoesNotFit() {
        try (TinyModel model = TinyModel.open("tiny-int8", 1)) {
            List<int[]> prompts = Collections.nCopies(3, new int[20]);
            TokenTimes times = BareLoop.run(model.runner, prompts, 5, 16, 1);

            assertThat(times.sequences()).isEqualTo(3);
            assertThat(times.firstTokens().toArray()).hasSize(3).isSorted();
            assertThat(times.gaps().toArray()).hasSize(12);
            assertThat(times.gaps().min().orElseThrow()).isPositive();
            assertThat(times.tokensPerSecond() * times.time().toNanos() / 1e9).isCloseTo(15, within(1e-6));
            assertThatThrownBy(() -> BareLoop.run(model.runner, Collections.nCopies(33, new int[20]), 5, 16, 1))
                    .hasMessageContaining("33 sequences do not fit 32 slots");
            assertThatThrownBy(() -> BareLoop.run(model.runner, List.of(new int[124]), 5, 16, 1))
                    .hasMessageContaining("do not fit a context of 128");
            assertThatThrownBy(() -> BareLoop.run(model.runner, prompts, 5, 0, 1))
                    .hasMessageContaining("prefill chunk is 0");
        }
    }
}
