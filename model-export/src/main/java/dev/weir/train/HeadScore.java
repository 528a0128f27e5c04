package dev.weir.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.StringJoiner;

/**
 * How well a model's head does on some examples. Immutable; any thread.
 *
 * @param examples how many there are
 * @param loss mean cross-entropy in nats, or mean squared difference
 * @param measures by name; the first is the one that models of the task are compared by
 */
record HeadScore(int examples, double loss, SequencedMap<String, Double> measures) {
    HeadScore {
        measures = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(measures));
    }

    /** Scores a model on examples. */
    static HeadScore of(HeadedModel model, List<TaskExample> examples) {
        return of(model.head(), examples, model.outputs(examples));
    }

    /** Scores what a head said of examples. */
    static HeadScore of(TaskHead head, List<TaskExample> examples, List<float[]> outputs) {
        return head.task().isNumeric() ? ofNumbers(examples, outputs) : ofLabels(head, examples, outputs);
    }

    private static HeadScore ofNumbers(List<TaskExample> examples, List<float[]> outputs) {
        double[] predicted = new double[examples.size()];
        double[] actual = new double[examples.size()];
        double squared = 0;
        for (int i = 0; i < actual.length; i++) {
            predicted[i] = outputs.get(i)[0];
            actual[i] = examples.get(i).target();
            squared += (predicted[i] - actual[i]) * (predicted[i] - actual[i]);
        }
        SequencedMap<String, Double> measures = new LinkedHashMap<>();
        measures.put("pearson", TaskMetrics.pearson(predicted, actual));
        measures.put("spearman", TaskMetrics.spearman(predicted, actual));
        return new HeadScore(actual.length, squared / actual.length, measures);
    }

    private static HeadScore ofLabels(TaskHead head, List<TaskExample> examples, List<float[]> outputs) {
        int[] predicted = new int[examples.size()];
        int[] actual = new int[examples.size()];
        double nats = 0;
        for (int i = 0; i < actual.length; i++) {
            predicted[i] = largest(outputs.get(i));
            actual[i] = examples.get(i).label();
            nats += LogProbabilities.loss(outputs.get(i), actual[i]);
        }
        SequencedMap<String, Double> measures = new LinkedHashMap<>();
        measures.put("accuracy", TaskMetrics.accuracy(predicted, actual));
        if (head.task().isLabelled()) {
            long[][] confusion =
                    TaskMetrics.confusion(predicted, actual, head.labels().size());
            measures.put("macro_f1", TaskMetrics.macroF1(confusion));
            if (confusion.length == 2) {
                measures.put("f1", TaskMetrics.f1(confusion, 1));
            }
            measures.put("matthews", TaskMetrics.matthews(confusion));
        }
        return new HeadScore(actual.length, nats / actual.length, measures);
    }

    private static int largest(float[] values) {
        int largest = 0;
        for (int i = 1; i < values.length; i++) {
            largest = values[i] > values[largest] ? i : largest;
        }
        return largest;
    }

    /** What models of the task are compared by. */
    double main() {
        return measures.firstEntry().getValue();
    }

    /** Whether it is the better of two of one task; of two that do equally well, the one with the smaller loss. */
    boolean isBetterThan(HeadScore other) {
        return main() > other.main() || (main() == other.main() && loss < other.loss);
    }

    void writeTo(ObjectNode node) {
        node.put("loss", loss);
        measures.forEach(node::put);
    }

    @Override
    public String toString() {
        StringJoiner line = new StringJoiner(", ");
        line.add(String.format(Locale.ROOT, "loss %.4f", loss));
        measures.forEach((name, value) -> line.add(String.format(Locale.ROOT, "%s %.4f", name, value)));
        return line.toString();
    }
}
