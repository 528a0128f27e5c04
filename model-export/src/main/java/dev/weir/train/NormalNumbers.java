package dev.weir.train;

/**
 * Normally distributed numbers of which each depends on the seed and its place alone, so that any number of threads draw the
 * same ones: a counter-based generator (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011), here SplitMix64's
 * finaliser over the place, and the transform of Box and Muller (1958) for two places at a time. The largest are 6.8 deviations
 * away. Static functions; any thread.
 */
final class NormalNumbers {
    private static final double UNIT = 0x1p-32;

    private NormalNumbers() {}

    /** Fills an array with numbers around zero. */
    static void fill(float[] values, long seed, double deviation) {
        ParallelRanges.forEach(values.length, (start, end) -> {
            for (int i = start; i < end; i += 2) {
                long bits = Seeds.mix(seed, i);
                // Never zero, whose logarithm is infinite.
                double radius = deviation * Math.sqrt(-2 * Math.log(((bits >>> 32) + 0.5) * UNIT));
                double angle = 2 * Math.PI * (bits & 0xffffffffL) * UNIT;
                values[i] = (float) (radius * Math.cos(angle));
                if (i + 1 < end) {
                    values[i + 1] = (float) (radius * Math.sin(angle));
                }
            }
        });
    }
}
