package dev.weir.train;

/**
 * The learning rate of each step: a linear warm-up from near zero, then half a cosine wave down to a floor.
 *
 * @param peak rate at the end of the warm-up
 * @param floor rate of the last step and after it
 * @param warmUpSteps steps of the warm-up; the first trains at {@code peak / warmUpSteps}
 * @param steps steps of the whole run
 */
record LearningRateSchedule(double peak, double floor, int warmUpSteps, int steps) {
    LearningRateSchedule {
        if (!(peak > 0 && Double.isFinite(peak))) {
            throw new IllegalArgumentException("learning rate is " + peak + ": it must be above 0");
        }
        if (!(floor >= 0 && floor <= peak)) {
            throw new IllegalArgumentException(
                    "minimum learning rate is " + floor + ": it must be from 0 to the learning rate, " + peak);
        }
        if (warmUpSteps < 0) {
            throw new IllegalArgumentException("warm-up steps is " + warmUpSteps + ": it must be 0 or more");
        }
    }

    /** The rate of a step, counted from 0. */
    double at(int step) {
        if (step < warmUpSteps) {
            return peak * (step + 1) / warmUpSteps;
        }
        if (step >= steps - 1) {
            return floor;
        }
        double progress = (double) (step - warmUpSteps) / (steps - 1 - warmUpSteps);
        return floor + (peak - floor) * 0.5 * (1 + Math.cos(Math.PI * progress));
    }
}
