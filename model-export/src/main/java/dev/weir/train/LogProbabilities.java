package dev.weir.train;

/** Arithmetic on predictions given as logits, in double precision. Static functions; any thread. */
final class LogProbabilities {
    private LogProbabilities() {}

    /** {@code log(sum(exp(logits)))}: what a logit must lose to be a log-probability. */
    static double logSumExp(float[] logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        return max + Math.log(sum);
    }

    /** Loss of predicting a token, in nats. */
    static double loss(float[] logits, int token) {
        return logSumExp(logits) - logits[token];
    }

    /** Kullback-Leibler divergence of a prediction {@code q} from the trusted {@code p}, in nats. */
    static double divergence(float[] p, float[] q) {
        double logSumP = logSumExp(p);
        double logSumQ = logSumExp(q);
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            double logP = p[i] - logSumP;
            sum += Math.exp(logP) * (logP - (q[i] - logSumQ));
        }
        return sum;
    }

    /** Cosine of the angle between two rows of logits. */
    static double cosine(float[] a, float[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return ab / Math.sqrt(aa * bb);
    }

    /** The largest difference of two rows of logits; NaN if there is one in either. */
    static double largestDifference(float[] a, float[] b) {
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            // Math.max keeps a NaN, which a comparison would let pass.
            largest = Math.max(largest, Math.abs((double) a[i] - b[i]));
        }
        return largest;
    }

    /** Draws a token: the one at which the cumulative probability passes {@code share}. */
    static int draw(float[] logits, double share) {
        double normaliser = logSumExp(logits);
        double rest = share;
        for (int token = 0; token < logits.length; token++) {
            rest -= Math.exp(logits[token] - normaliser);
            if (rest < 0) {
                return token;
            }
        }
        return logits.length - 1;
    }
}
