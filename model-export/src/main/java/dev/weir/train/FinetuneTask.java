package dev.weir.train;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a GPT can be fine-tuned for: the texts of an example and what is to be said of them. */
enum FinetuneTask {
    /** One of several labels for a text. */
    CLASSIFICATION,
    /** A number for a text. */
    REGRESSION,
    /** One of several labels for an ordered pair of texts. */
    ENTAILMENT,
    /** A number for a pair of texts in no order. */
    SIMILARITY,
    /** The right one of several texts that follow another. */
    MULTIPLE_CHOICE;

    /** The name on the command line and in files. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * The one that a command line or file names.
     *
     * @throws UserError if it names none
     */
    static FinetuneTask named(String where, String label) {
        for (FinetuneTask task : values()) {
            if (task.label().equals(label)) {
                return task;
            }
        }
        throw new UserError(where + " is \"" + label + "\": choose "
                + Arrays.stream(values()).map(FinetuneTask::label).collect(Collectors.joining(", ")));
    }

    /** For each text of an example the names that its column may have, the usual one first. */
    List<List<String>> texts() {
        return switch (this) {
            case CLASSIFICATION, REGRESSION -> List.of(List.of("text", "sentence"));
            case ENTAILMENT ->
                List.of(List.of("premise", "text1", "sentence1"), List.of("hypothesis", "text2", "sentence2"));
            case SIMILARITY ->
                List.of(List.of("text1", "sentence1", "premise"), List.of("text2", "sentence2", "hypothesis"));
            case MULTIPLE_CHOICE -> List.of(List.of("question", "context", "prompt"));
        };
    }

    /** The names that the column of what is to be said may have, the usual one first. */
    List<String> target() {
        return switch (this) {
            case CLASSIFICATION, ENTAILMENT -> List.of("label");
            case REGRESSION, SIMILARITY -> List.of("label", "score");
            case MULTIPLE_CHOICE -> List.of("label", "answer");
        };
    }

    /** Whether the answer is one of the labels that the training file has. */
    boolean isLabelled() {
        return this == CLASSIFICATION || this == ENTAILMENT;
    }

    /** Whether the answer is a number. */
    boolean isNumeric() {
        return this == REGRESSION || this == SIMILARITY;
    }
}
