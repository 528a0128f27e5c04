package dev.weir.train;

/** Refuses values that no run can have, by the option's name. Static functions; any thread. */
final class OptionChecks {
    private OptionChecks() {}

    static void atLeastOne(String option, int value) {
        if (value < 1) {
            throw new UserError(option + " is " + value + ": it must be at least 1");
        }
    }

    static void notNegative(String option, double value) {
        if (!(value >= 0 && Double.isFinite(value))) {
            throw new UserError(option + " is " + value + ": it must be 0 or more");
        }
    }

    /** Refuses 0 and less; infinity may pass, as a clip that clips nothing. */
    static void positive(String option, double value) {
        if (!(value > 0)) {
            throw new UserError(option + " is " + value + ": it must be above 0");
        }
    }

    static void below1(String option, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new UserError(option + " is " + value + ": it must be from 0 to below 1");
        }
    }
}
