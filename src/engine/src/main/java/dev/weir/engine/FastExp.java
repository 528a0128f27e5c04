package dev.weir.engine;

/**
 * The exponential function in single precision for arguments up to 0: the power of two nearest below times a polynomial
 * on the rest. Within 2e-7 of {@link Math#exp} relative to it, and several times faster; the same bits on every machine.
 */
final class FastExp {
    private static final float LOG2_E = 1.442695f;
    private static final float LN2_HIGH =
            355f / 512; // ln 2 in two parts, of which the first has so few bits that a multiple of it is exact
    private static final float LN2_LOW = -2.12194e-4f;

    private FastExp() {}

    /** e to the {@code x}, 0 where that would be less than the smallest normal float. */
    static float exp(float x) {
        if (!(x > -87.3f)) {
            return 0;
        }
        int power = (int) (x * LOG2_E - 0.5f); // to nearest, as x is not positive
        float rest = x - power * LN2_HIGH - power * LN2_LOW; // in about [-0.35, 0.35]
        // Taylor's series of e^rest to the seventh power, whose remainder is below 1e-8 there.
        float series = 1 / 5040f;
        series = series * rest + 1 / 720f;
        series = series * rest + 1 / 120f;
        series = series * rest + 1 / 24f;
        series = series * rest + 1 / 6f;
        series = series * rest + 0.5f;
        series = series * rest + 1;
        series = series * rest + 1;
        return series * Float.intBitsToFloat((power + 127) << 23);
    }
}
