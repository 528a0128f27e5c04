package dev.weir.corpus;

import java.util.List;

/**
 * A story that was told, and what can be asked about it. Immutable; any thread.
 *
 * @param plot the name of its plot
 */
record Story(String plot, String title, String text, List<Question> questions) {
    /**
     * A question about a story.
     *
     * @param template what it was made from, by which it is held out or not
     * @param answer in a word or two
     * @param sentence the same as a sentence
     */
    record Question(String template, String question, String answer, String sentence) {}
}
