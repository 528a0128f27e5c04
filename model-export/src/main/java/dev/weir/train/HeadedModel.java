package dev.weir.train;

import java.util.List;

/** A fine-tuned model that says what its head does of examples. One thread at a time. */
interface HeadedModel {
    TaskHead head();

    /** What the head says of each example: a logit for each label or choice, or a number as targets are written. */
    List<float[]> outputs(List<TaskExample> examples);
}
