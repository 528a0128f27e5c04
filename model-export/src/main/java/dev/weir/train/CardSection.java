package dev.weir.train;

import java.io.IOException;
import java.nio.file.Path;

/** A part of a model's card that is written by itself. Static functions; any thread. */
final class CardSection {
    private CardSection() {}

    /**
     * Puts a section at the end of a model's card, in the place of one with the same heading.
     *
     * @param heading without its marks
     */
    static void write(Path model, String heading, String text) throws IOException {
        String title = "## " + heading + "\n";
        String card = TrainingCard.of(model);
        int begin = ("\n" + card).indexOf("\n" + title);
        if (begin >= 0) {
            int end = card.indexOf("\n## ", begin + title.length());
            card = card.substring(0, begin) + (end < 0 ? "" : card.substring(end + 1));
        }
        AtomicFile.writeString(
                model.resolve(TrainingCard.FILE), (card.strip() + "\n\n" + title + "\n" + text).stripLeading());
    }
}
