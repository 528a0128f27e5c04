package dev.weir.engine;

/**
 * Gives up the rows that are being computed for a request that has just come: so a tenant that asks now and then does not wait until
 * those of one that floods are done. The engine thread says when rows begin and end, any thread when a request has come.
 *
 * <p>Only for a tenant that has no more than its share, while another holds more than its own; and only as far as {@link
 * SchedulingPolicy#mayInterrupt} lets it cost.
 */
final class Interruption {
    private final ModelRunner runner;
    /** How long the latest rows took, by their number; 0 if not known. */
    private final long[] nanosOfRows;

    private long mayLose = SchedulingPolicy.MOST_LOST_NANOS;
    private int rows;
    private long begin;
    private int share;

    Interruption(ModelRunner runner) {
        this.runner = runner;
        nanosOfRows = new long[runner.shape().slots() + 1];
    }

    /**
     * A step begins that computes nothing but so many rows.
     *
     * @param share requests that a tenant may have for whose sake it is given up; 0 if it is not
     */
    synchronized void begins(int rows, int share, long now) {
        this.rows = rows;
        this.share = share;
        begin = now;
    }

    /** The step ended, and the rows are computed or not. */
    synchronized void ended(boolean areComputed, long now) {
        share = 0;
        long nanos = now - begin;
        mayLose = SchedulingPolicy.mayLose(mayLose, nanos, !areComputed);
        if (areComputed) {
            nanosOfRows[rows] = nanos;
        }
    }

    /** A request has come, of a tenant that now has so many. */
    synchronized void requested(int requests, long now) {
        if (requests <= share && SchedulingPolicy.mayInterrupt(now - begin, nanosOfRows[rows], mayLose)) {
            share = 0;
            runner.interrupt();
        }
    }
}
