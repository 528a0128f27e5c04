package dev.weir.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A page of English to tokens, and those back to text one at a time as a stream gets them. The tokenizer is that of the model
 * folder in the system property {@code weir.bench.model}, else the built-in model's.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class TokenizerBenchmark {
    private static final String PARAGRAPH =
            "The hedgehog went down to the river in the evening, as it did every day in "
                    + "June 2026, and drank. \"Is the water cold?\" asked the heron; it wasn't. So they waited, caf\u00e9 au lait and "
                    + "all, for 3 or 4 hours until the moon came up.\n\n";

    private String text;
    private Tokenizer tokenizer;
    private int[] tokens;

    @Setup
    public void load() throws IOException {
        String home = System.getProperty("weir.home", ".");
        tokenizer = Tokenizer.load(Path.of(System.getProperty("weir.bench.model", home + "/server/models/weir-mini")));
        text = PARAGRAPH.repeat(10);
        tokens = tokenizer.encode(text);
    }

    @Benchmark
    public int[] encodePage() {
        return tokenizer.encode(text);
    }

    @Benchmark
    public int detokenizePage() {
        IncrementalDetokenizer detokenizer = new IncrementalDetokenizer(tokenizer, List.of("\nUser:"));
        int length = 0;
        for (int token : tokens) {
            length += detokenizer.accept(token).length();
        }
        return length + detokenizer.finish().length();
    }
}
