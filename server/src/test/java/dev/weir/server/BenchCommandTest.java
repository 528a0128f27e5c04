package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.onnx.Peer;
import dev.weir.onnx.TokenTimes;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
    private static final String MODEL = "../src/onnx/src/test/resources/models/tiny-int8";

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void printsTheBareLoopAndTheEngineForOnePromptAndForEachBatch() throws IOException {
        Path json = folder.resolve("bench.json");
        assertThat(bench(
                        "--model",
                        MODEL,
                        "--batch",
                        "1,3",
                        "--prompt-tokens",
                        "20",
                        "--new-tokens",
                        "4",
                        "--json",
                        json.toString()))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("one prompt of 126 tokens", "20 prompt tokens, 4 new tokens");
        assertThat(out.toString().lines().map(String::strip))
                .filteredOn(line -> line.matches("[13]  (bare loop|engine) .*"))
                .hasSize(4);

        JsonNode results = new ObjectMapper().readTree(json.toFile());
        assertThat(results.path("prefill")).hasSize(2);
        JsonNode engine = results.path("generation").path(3);
        assertThat(engine.path("contender").asText()).isEqualTo("engine");
        assertThat(engine.path("sequences").asInt()).isEqualTo(3);
        assertThat(engine.path("output_tokens_per_s").path("median").asDouble()).isPositive();
        assertThat(engine.path("engine_over_it").path("most").asDouble()).isEqualTo(1);
        assertThat(engine.path("itl_p99_ms").asDouble())
                .isGreaterThanOrEqualTo(engine.path("itl_p50_ms").asDouble());
    }

    @Test
    void medianRatioAndPercentilesAreThoseOfTheTurns() {
        BenchRow slow = new BenchRow(
                "slow", List.of(times(100, 10, 40), times(200, 20, 50), times(400, 30, 60)), Optional.empty());
        BenchRow fast =
                new BenchRow("fast", List.of(times(50, 5, 20), times(50, 5, 20), times(400, 5, 20)), Optional.empty());

        assertThat(slow.tokensPerSecond().median()).isCloseTo(2e3 / 200, within(1e-9));
        assertThat(slow.tokensPerSecond().least()).isCloseTo(2e3 / 400, within(1e-9));
        BenchRow.Spread ratio = slow.ratioOf(fast, BenchRow::speeds);
        assertThat(List.of(ratio.least(), ratio.median(), ratio.most())).containsExactly(1.0, 2.0, 4.0);
        assertThat(slow.firstTokenMillis(0.5)).isEqualTo(20);
        assertThat(slow.firstTokenMillis(0.99)).isEqualTo(30);
        assertThat(slow.gapMillis(0.5)).isEqualTo(30);
        assertThat(slow.prefillTokensPerSecond(8).median()).isCloseTo(8e3 / 20, within(1e-9));
    }

    @Test
    void promptsForPeersAreTheSameTokensAsTheirTextAndDifferFromEachOther() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(Path.of("models/weir-mini"));
        List<Peer.Prompt> words = BenchPrompts.words(tokenizer, new BenchLoad(3, 50, 2));
        assertThat(words).hasSize(3);
        for (Peer.Prompt prompt : words) {
            assertThat(prompt.tokens()).hasSize(50).isEqualTo(tokenizer.encode(prompt.text()));
        }
        assertThat(words.get(0).tokens()).isNotEqualTo(words.get(1).tokens());

        List<Peer.Prompt> prompts = BenchPrompts.random(300, new BenchLoad(2, 7, 2));
        assertThat(prompts).hasSize(2).allMatch(prompt -> prompt.tokens().length == 7);
        assertThat(prompts.get(0).tokens()).isNotEqualTo(prompts.get(1).tokens());
    }

    @Test
    void randomWeightsAreExportedOnceForEachWhoIsMeasured() throws IOException {
        Path script = Files.writeString(folder.resolve("weir"), """
                #!/bin/sh
                for last; do :; done
                case "$*" in *layers*) exit 1 ;; esac
                mkdir -p "$last" && echo "$*" >> "$(dirname "$0")/log"
                touch "$last/model.onnx" "$last/model.gguf" "$last/model.safetensors"
                """);
        assertThat(script.toFile().setExecutable(true)).isTrue();
        RandomModels random = new RandomModels(folder, "1/2/3", "int8", "fp32", false);

        assertThat(random.own()).isEqualTo(random.own());
        assertThat(random.of("llama.cpp")).hasFileName("model.gguf");
        assertThat(random.of("jlama")).isDirectory();
        assertThat(Files.readAllLines(folder.resolve("log")))
                .hasSize(3)
                .allMatch(line -> line.startsWith("export --random 1/2/3 --format "))
                .anyMatch(line -> line.contains("gguf --precision int8"))
                .anyMatch(line -> line.contains("safetensors --precision fp32"));
        RandomModels onGpu = new RandomModels(folder, "1/2/3", "bf16", "fp32", true);
        assertThat(onGpu.own()).isNotEqualTo(random.own());
        assertThat(onGpu.of("llama.cpp")).hasFileName("model.gguf");
        assertThat(Files.readAllLines(folder.resolve("log")))
                .anyMatch(line -> line.contains("onnx --precision bf16 --unchecked --target cuda --out"))
                .anyMatch(line -> line.contains("gguf --precision fp32"));
        assertThatThrownBy(() -> random.of("other")).hasMessageContaining("--peer is other");
        assertThatThrownBy(() -> new RandomModels(folder, "layers", "fp32", "fp32", false).own())
                .hasMessageContaining("--random is layers, which could not be exported");
    }

    @Test
    void whatCannotBeMeasuredIsNamed() {
        assertThat(bench("--model", MODEL, "--new-tokens", "120")).isEqualTo(2);
        assertThat(bench("--model", MODEL, "--batch", "0", "--new-tokens", "4", "--prompt-tokens", "20"))
                .isEqualTo(2);
        assertThat(bench("--model", MODEL, "--new-tokens", "1", "--prompt-tokens", "20"))
                .isEqualTo(2);
        assertThat(bench("--model", "nowhere")).isEqualTo(2);
        assertThat(bench("--model", MODEL, "--turns", "0")).isEqualTo(2);
        assertThat(bench("--model", MODEL, "--peer", "llama.cpp=x.gguf")).isEqualTo(2);
        assertThat(bench("--random", "tiny", "--precision", "int4")).isEqualTo(2);
        assertThat(bench("--model", MODEL, "--device", "cuda:0,1")).isEqualTo(2);
        assertThat(bench("--random", "tiny", "--precision", "bf16")).isEqualTo(2);
        assertThat(bench("--random", "tiny", "--precision", "int8", "--device", "cuda"))
                .isEqualTo(2);
        assertThat(bench()).isEqualTo(2);
        assertThat(err.toString())
                .contains("more together than the context of tiny-int8, 128 tokens")
                .contains("sequences are 0")
                .contains("new tokens must be at least 2")
                .contains("there is no model folder")
                .contains("--turns is 0")
                .contains("--peer is llama.cpp: choose one of onnxruntime; llama.cpp and jlama are there on the CPU")
                .contains("bench measures one device: device is cuda:0,1")
                .contains("--precision is int4: choose fp32 or int8 on the CPU", "--precision is bf16: choose")
                .contains("fp16 or bf16 with --device cuda");
    }

    /** A sequence of two tokens. */
    private static TokenTimes times(long millis, long first, long second) {
        return new TokenTimes(2, Duration.ofMillis(millis), new long[][] {{first * 1_000_000, second * 1_000_000}});
    }

    private int bench(String... arguments) {
        return ServerMain.run(
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                Stream.concat(Stream.of("bench"), Stream.of(arguments)).toArray(String[]::new));
    }
}
