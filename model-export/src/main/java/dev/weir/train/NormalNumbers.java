package dev.weir.train;

/**
 * Normally distributed numbers of which each depends on the seed and its place alone, so that any number of threads draw the
 * same ones, on any processor: a counter-based generator (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011),
 * here SplitMix64's finaliser over the place, and the inverse of the normal distribution. Static functions; any thread.
 */
final class NormalNumbers {
    private NormalNumbers() {}

    /** Fills an array with numbers around zero. */
    static void fill(float[] values, long seed, double deviation) {
        ParallelRanges.forEach(values.length, (start, end) -> {
            for (int i = start; i < end; i++) {
                // The middles of 2^52 equal parts, so that neither 0 nor 1 comes out.
                double probability = ((Seeds.mix(seed, i) >>> 12) + 0.5) * 0x1p-52;
                values[i] = (float) (deviation * quantile(probability));
            }
        });
    }

    /**
     * What a standard normal number stays below with this probability, to seven digits: Wichura, "Algorithm AS 241: The
     * Percentage Points of the Normal Distribution", 1988, routine PPND7. It takes basic arithmetic, which is the same
     * everywhere, and a logarithm in the tails.
     *
     * @param probability above 0 and below 1
     */
    static double quantile(double probability) {
        double q = probability - 0.5;
        if (Math.abs(q) <= 0.425) {
            double r = 0.180625 - q * q;
            return q
                    * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179)
                    / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1);
        }
        double r = Math.sqrt(-StrictMath.log(q < 0 ? probability : 1 - probability));
        double size;
        if (r <= 5) {
            r -= 1.6;
            size = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777)
                    / ((0.12021132975 * r + 0.73700164250) * r + 1);
        } else {
            r -= 5;
            size = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150)
                    / ((0.012258202635 * r + 0.24197894225) * r + 1);
        }
        return q < 0 ? -size : size;
    }
}
