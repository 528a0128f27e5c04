package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BenchCommandTest {
    private static final String MODEL = "../src/onnx/src/test/resources/models/tiny-int8";

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void printsALineForEachBatchOfTheBareLoopAndOfTheEngine() {
        assertThat(bench("--model", MODEL, "--batch", "1,3", "--prompt-tokens", "20", "--new-tokens", "4"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString().lines().map(String::strip))
                .hasSize(8)
                .filteredOn(line -> line.startsWith("1 ") || line.startsWith("3 "))
                .hasSize(4);
        assertThat(out.toString().lines().toList().getLast()).matches("\\s+3\\s+[1-9]\\d*\\s+\\d+%");
        assertThat(out.toString()).contains("20 prompt tokens, 4 new tokens");
    }

    @Test
    void whatCannotBeMeasuredIsNamed() {
        assertThat(bench("--model", MODEL, "--new-tokens", "120")).isEqualTo(2);
        assertThat(bench("--model", MODEL, "--batch", "0", "--new-tokens", "4", "--prompt-tokens", "20"))
                .isEqualTo(2);
        assertThat(bench("--model", MODEL, "--new-tokens", "1", "--prompt-tokens", "20"))
                .isEqualTo(2);
        assertThat(bench("--model", "nowhere")).isEqualTo(2);
        assertThat(err.toString())
                .contains("more together than the context of tiny-int8, 128 tokens")
                .contains("max-sequences is 0")
                .contains("new tokens must be at least 2")
                .contains("there is no model folder");
    }

    private int bench(String... arguments) {
        return ServerMain.run(
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                Stream.concat(Stream.of("bench"), Stream.of(arguments)).toArray(String[]::new));
    }
}
