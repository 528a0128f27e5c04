package dev.weir.train;

/**
 * The learning rate of each step of a fine-tuning: a linear warm-up from near zero, then straight down to near zero (Radford et
 * al., 2018).
 *
 * @param peak rate at the end of the warm-up
 * @param warmUpSteps steps of the warm-up, fewer than all
 * @param steps steps of the whole run
 */
record LinearSchedule(double peak, int warmUpSteps, int steps) {
    /** The rate of a step, counted from 0. */
    double at(int step) {
        return step < warmUpSteps ? peak * (step + 1) / warmUpSteps : peak * (steps - step) / (steps - warmUpSteps);
    }
}
