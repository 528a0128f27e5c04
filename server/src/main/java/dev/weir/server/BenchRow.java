package dev.weir.server;

import dev.weir.onnx.Peer;
import dev.weir.onnx.TokenTimes;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;

/**
 * What one contender took for one load, turn by turn. Immutable.
 *
 * @param turns in the order in which they were measured, the same for all contenders
 * @param traffic what the last step moved to and from a GPU, where one computed
 */
record BenchRow(String contender, List<TokenTimes> turns, Optional<Peer.Traffic> traffic) {
    /** A median, with the least and the most that it comes from. */
    record Spread(double median, double least, double most) {
        static Spread of(DoubleStream values) {
            double[] sorted = values.sorted().toArray();
            int half = sorted.length / 2;
            double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
            return new Spread(median, sorted[0], sorted[sorted.length - 1]);
        }
    }

    /** Generated tokens of all sequences a second. */
    Spread tokensPerSecond() {
        return Spread.of(turns.stream().mapToDouble(TokenTimes::tokensPerSecond));
    }

    /** Tokens of prompts a second, up to the last sequence's first token. */
    Spread prefillTokensPerSecond(int promptTokens) {
        return Spread.of(turns.stream()
                .mapToDouble(times -> (double) times.sequences()
                        * promptTokens
                        * 1e9
                        / times.firstTokens().max().orElseThrow()));
    }

    /** How many times as fast another one was, turn by turn. */
    Spread ratioOf(BenchRow other, Function<BenchRow, DoubleStream> speeds) {
        double[] own = speeds.apply(this).toArray();
        double[] others = speeds.apply(other).toArray();
        double[] ratios = new double[own.length];
        Arrays.setAll(ratios, turn -> others[turn] / own[turn]);
        return Spread.of(Arrays.stream(ratios));
    }

    DoubleStream speeds() {
        return turns.stream().mapToDouble(TokenTimes::tokensPerSecond);
    }

    DoubleStream prefillSpeeds() {
        return turns.stream()
                .mapToDouble(times -> 1e9 / times.firstTokens().max().orElseThrow());
    }

    /** Milliseconds to the first token below which that share of all sequences of all turns stays. */
    double firstTokenMillis(double share) {
        return percentileMillis(turns.stream().flatMapToLong(TokenTimes::firstTokens), share);
    }

    /** The same of the time between two tokens; not a number where a peer showed fewer than two. */
    double gapMillis(double share) {
        return percentileMillis(turns.stream().flatMapToLong(TokenTimes::gaps), share);
    }

    private static double percentileMillis(LongStream nanos, double share) {
        long[] sorted = nanos.sorted().toArray();
        return sorted.length == 0 ? Double.NaN : sorted[(int) Math.ceil(share * sorted.length) - 1] / 1e6;
    }
}
