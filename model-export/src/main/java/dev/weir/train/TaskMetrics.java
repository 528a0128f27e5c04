package dev.weir.train;

import java.util.Arrays;
import java.util.Comparator;

/** Measures of how well predictions agree with what is true. Static functions; any thread. */
final class TaskMetrics {
    private TaskMetrics() {}

    /** How often what is predicted was predicted of what is true: a row for each true label. */
    static long[][] confusion(int[] predicted, int[] actual, int labels) {
        long[][] counts = new long[labels][labels];
        for (int i = 0; i < actual.length; i++) {
            counts[actual[i]][predicted[i]]++;
        }
        return counts;
    }

    static double accuracy(int[] predicted, int[] actual) {
        int right = 0;
        for (int i = 0; i < actual.length; i++) {
            right += predicted[i] == actual[i] ? 1 : 0;
        }
        return (double) right / actual.length;
    }

    /** The harmonic mean of precision and recall of one label; 0 where it was neither predicted nor true. */
    static double f1(long[][] confusion, int label) {
        long predicted = 0;
        long actual = 0;
        for (int other = 0; other < confusion.length; other++) {
            predicted += confusion[other][label];
            actual += confusion[label][other];
        }
        return predicted + actual == 0 ? 0 : 2.0 * confusion[label][label] / (predicted + actual);
    }

    /** The mean of all labels' F1. */
    static double macroF1(long[][] confusion) {
        double sum = 0;
        for (int label = 0; label < confusion.length; label++) {
            sum += f1(confusion, label);
        }
        return sum / confusion.length;
    }

    /**
     * Matthews' correlation, for any number of labels (Gorodkin, "Comparing two K-category assignments by a K-category
     * correlation coefficient", 2004); 0 where all predictions or all truths are one label.
     */
    static double matthews(long[][] confusion) {
        double all = 0;
        double right = 0;
        double product = 0;
        double predictedSquared = 0;
        double actualSquared = 0;
        for (int label = 0; label < confusion.length; label++) {
            double predicted = 0;
            double actual = 0;
            for (int other = 0; other < confusion.length; other++) {
                predicted += confusion[other][label];
                actual += confusion[label][other];
            }
            all += actual;
            right += confusion[label][label];
            product += predicted * actual;
            predictedSquared += predicted * predicted;
            actualSquared += actual * actual;
        }
        double scale = Math.sqrt((all * all - predictedSquared) * (all * all - actualSquared));
        return scale == 0 ? 0 : (right * all - product) / scale;
    }

    /** Pearson's correlation; 0 where all numbers of one side are the same. */
    static double pearson(double[] x, double[] y) {
        double meanX = Arrays.stream(x).average().orElse(0);
        double meanY = Arrays.stream(y).average().orElse(0);
        double xy = 0;
        double xx = 0;
        double yy = 0;
        for (int i = 0; i < x.length; i++) {
            xy += (x[i] - meanX) * (y[i] - meanY);
            xx += (x[i] - meanX) * (x[i] - meanX);
            yy += (y[i] - meanY) * (y[i] - meanY);
        }
        double scale = Math.sqrt(xx) * Math.sqrt(yy);
        return scale == 0 ? 0 : xy / scale;
    }

    /** Spearman's correlation: Pearson's of the ranks. */
    static double spearman(double[] x, double[] y) {
        return pearson(ranks(x), ranks(y));
    }

    /** The rank of each number from 1; equal ones share the mean of theirs. */
    static double[] ranks(double[] x) {
        Integer[] order = new Integer[x.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingDouble(i -> x[i]));
        double[] ranks = new double[x.length];
        int start = 0;
        while (start < order.length) {
            int end = start + 1;
            while (end < order.length && x[order[end]] == x[order[start]]) {
                end++;
            }
            for (int i = start; i < end; i++) {
                ranks[order[i]] = (start + 1 + end) / 2.0;
            }
            start = end;
        }
        return ranks;
    }
}
