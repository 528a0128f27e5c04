package dev.weir.train;

/** Random seeds made of a run's seed and a number. Static functions; any thread. */
public final class Seeds {
    private Seeds() {}

    /**
     * A seed for the {@code number}-th draw of a run, far from those of other draws and of runs with neighbouring seeds: the
     * finaliser of SplitMix64 (Steele, Lea and Flood, 2014) over both.
     */
    public static long mix(long seed, long number) {
        return finish(finish(seed + 0x9e3779b97f4a7c15L) + number);
    }

    private static long finish(long bits) {
        long mixed = (bits ^ (bits >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }
}
