package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;

/** Something that the model shall learn, with exercises that have one exact answer. Immutable; any thread. */
interface Skill {
    String name();

    /** A new exercise, of the values and sentences that the scribe's sides admit. */
    Exercise exercise(Scribe scribe);

    /**
     * A question and its one answer.
     *
     * @param asked the turns up to and with the question
     * @param answer the exact answer; of a call, its JSON
     * @param reply the answer as a turn
     * @param key what was drawn, by which it is held out
     */
    record Exercise(
            List<Conversation.Message> asked,
            String answer,
            Conversation.Message reply,
            String key,
            List<ToolFunction> tools) {
        /** A question that is answered in words. */
        static Exercise of(List<Conversation.Message> asked, String answer, String key) {
            return new Exercise(asked, answer, Conversation.assistant(answer), key, List.of());
        }

        static Exercise of(String question, String answer, String key) {
            return of(List.of(Conversation.user(question)), answer, key);
        }

        /** The turns with the answer. */
        List<Conversation.Message> solved() {
            List<Conversation.Message> turns = new ArrayList<>(asked);
            turns.add(reply);
            return turns;
        }
    }
}
