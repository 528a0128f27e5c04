package dev.weir.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A step's sampling: 64 rows of GPT-2's vocabulary, in memory outside Java's heap as a runner has them. The scores are noise, nearly
 * flat, so that a nucleus holds thousands of tokens: a trained model's is far smaller.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class SamplerBenchmark {
    private static final int ROWS = 64;
    private static final int VOCABULARY = 50257;
    private static final int[] NONE = {};

    /** How tokens are chosen. */
    public enum Choice {
        GREEDY(SamplingParams.greedy(64)),
        TEMPERATURE(SamplingParams.builder(64).temperature(0.8f).build()),
        TOP_P(SamplingParams.builder(64).temperature(0.8f).topP(0.95f).build()),
        TOP_K(SamplingParams.builder(64).temperature(0.8f).topK(40).build());

        private final SamplingParams params;

        Choice(SamplingParams params) {
            this.params = params;
        }
    }

    @Param
    public Choice choice;

    private Logits logits;
    private Sampler sampler;
    private SplittableRandom random;

    @Setup
    public void fill() {
        FloatBuffer scores = ByteBuffer.allocateDirect(ROWS * VOCABULARY * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        Random noise = new Random(1);
        for (int i = 0; i < scores.capacity(); i++) {
            scores.put(i, (float) (2 * noise.nextGaussian()));
        }
        logits = new BufferLogits(scores, VOCABULARY);
        sampler = new Sampler(VOCABULARY);
        random = new SplittableRandom(1);
    }

    @Benchmark
    public int rows64() {
        int sum = 0;
        for (int row = 0; row < ROWS; row++) {
            sum += sampler.sample(logits, row, choice.params, NONE, null, random);
        }
        return sum;
    }
}
