package dev.weir.train;

import java.util.List;

/**
 * An example of a task as its file has it. Immutable; any thread.
 *
 * @param line where it stands in its file, for messages
 * @param texts the task's texts; of a multiple choice the question and then each choice
 * @param target what is to be said of them, as written
 */
record LabelledText(int line, List<String> texts, String target) {
    LabelledText {
        texts = List.copyOf(texts);
    }
}
