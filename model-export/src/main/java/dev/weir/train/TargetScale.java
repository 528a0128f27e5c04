package dev.weir.train;

import java.util.List;

/**
 * The scale on which a head learns numbers: how many standard deviations they are from their mean, so that small steps reach any
 * of them. It is worked into the head's weights when a model is written. Immutable; any thread.
 */
record TargetScale(double mean, double deviation) {
    static final TargetScale NONE = new TargetScale(0, 1);

    /** The scale of the targets of a head's training examples; none where they are no numbers. */
    static TargetScale of(TaskHead head, List<TaskExample> examples) {
        if (!head.task().isNumeric()) {
            return NONE;
        }
        double mean =
                examples.stream().mapToDouble(TaskExample::target).average().orElse(0);
        double variance = examples.stream()
                .mapToDouble(example -> (example.target() - mean) * (example.target() - mean))
                .average()
                .orElse(0);
        return new TargetScale(mean, variance > 0 ? Math.sqrt(variance) : 1);
    }

    double scaled(double target) {
        return (target - mean) / deviation;
    }

    double unscaled(double output) {
        return output * deviation + mean;
    }

    /** Weights of which the head answers as targets are written, from ones whose head answers on this scale. */
    GptWeights workedInto(GptWeights weights) {
        if (equals(NONE)) {
            return weights;
        }
        return weights.withTensors(name -> {
            float[] values = weights.tensor(name);
            if (TaskHead.isName(name)) {
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (name.equals(TaskHead.BIAS) ? unscaled(values[i]) : values[i] * deviation);
                }
            }
            return values;
        });
    }
}
