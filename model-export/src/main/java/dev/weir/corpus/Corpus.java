package dev.weir.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.train.AtomicFile;
import dev.weir.train.Seeds;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A curriculum for a small model that is made up from word lists, rules and plots: texts to pre-train on, conversations to
 * fine-tune on, and exercises that are held out of both. What is written depends on the seed and on nothing else. Immutable;
 * any thread.
 */
final class Corpus {
    private static final String END_OF_TEXT = "<|endoftext|>";

    /** Draws of one seed that differ from each other. */
    private static final int TEXTS = 1;

    private static final int CONVERSATIONS = 2;
    private static final int EXERCISES = 3;

    /** Draws for each exercise that is wanted, after which a skill is taken to have no more different ones. */
    private static final long DRAWS_OF_AN_EXERCISE = 100;

    private final CorpusBook book;
    private final long seed;
    private final List<Skill> skills;
    private final Documents documents;
    private final Conversations conversations;

    Corpus(CorpusBook book, long seed) {
        this.book = book;
        this.seed = seed;
        this.skills = Skills.all(book);
        this.documents = new Documents(book, skills);
        this.conversations = new Conversations(skills);
    }

    List<Skill> skills() {
        return skills;
    }

    private Scribe scribe(int kind, long number, CorpusSide values, CorpusSide templates) {
        CorpusRandom random = new CorpusRandom(Seeds.mix(Seeds.mix(seed, kind), number));
        return Scribe.of(book, random, values, templates);
    }

    /** The document of that number. */
    String text(long number) {
        return documents.write(scribe(TEXTS, number, CorpusSide.TRAINING, CorpusSide.TRAINING));
    }

    /** The conversation of that number. */
    Conversation conversation(long number) {
        return conversations.write(scribe(CONVERSATIONS, number, CorpusSide.TRAINING, CorpusSide.TRAINING));
    }

    /** The exercise of that number of a skill: its values are held out, and in every second one so is the sentence. */
    Skill.Exercise heldOut(Skill skill, long number) {
        CorpusSide templates = number % 2 == 0 ? CorpusSide.TRAINING : CorpusSide.HELD_OUT;
        long ofSkill = Seeds.mix(CorpusSide.rank("skill", skill.name()), number);
        return skill.exercise(scribe(EXERCISES, ofSkill, CorpusSide.HELD_OUT, templates));
    }

    /** Writes texts until there are so many tokens; a line with the end-of-text token follows each. */
    void writeTexts(Path file, TokenCount count, long tokens) throws IOException {
        write(file, out -> {
            for (long number = 0; count.tokens() < tokens; number++) {
                String text = text(number) + "\n" + END_OF_TEXT + "\n";
                count.add(text);
                out.write(text);
            }
        });
    }

    /** Writes conversations as JSON lines until what is said in them has so many tokens. */
    void writeConversations(Path file, TokenCount count, long tokens) throws IOException {
        write(file, out -> {
            for (long number = 0; count.tokens() < tokens; number++) {
                Conversation conversation = conversation(number);
                for (Conversation.Message message : conversation.messages()) {
                    count.add(content(message));
                }
                if (!conversation.tools().isEmpty()) {
                    count.add(ConversationJson.tools(conversation.tools()).toString());
                }
                line(out, ConversationJson.object(conversation));
            }
        });
    }

    private static String content(Conversation.Message message) {
        return switch (message) {
            case Conversation.Said said -> said.content();
            case Conversation.Called called -> ConversationText.call(called);
            case Conversation.Returned returned -> returned.content();
        };
    }

    /** Writes so many different exercises of each skill as JSON lines. */
    void writeHeldOut(Path file, int ofEachSkill) throws IOException {
        write(file, out -> {
            for (Skill skill : skills) {
                Set<List<Conversation.Message>> asked = new HashSet<>();
                for (long number = 0; asked.size() < ofEachSkill; number++) {
                    if (number > DRAWS_OF_AN_EXERCISE * ofEachSkill) {
                        throw new IllegalStateException("the skill " + skill.name() + " has only " + asked.size()
                                + " different exercises that are held out");
                    }
                    Skill.Exercise exercise = heldOut(skill, number);
                    if (asked.add(exercise.asked())) {
                        line(out, json(skill, exercise));
                    }
                }
            }
        });
    }

    static ObjectNode json(Skill skill, Skill.Exercise exercise) {
        ObjectNode root = ConversationJson.object(new Conversation(exercise.asked(), exercise.tools()));
        ObjectNode line = root.objectNode().put("skill", skill.name());
        line.set("messages", root.get("messages"));
        line.put("answer", exercise.answer());
        JsonNode tools = root.get("tools");
        if (tools != null) {
            line.set("tools", tools);
        }
        return line;
    }

    private static void line(BufferedWriter out, JsonNode node) throws IOException {
        out.write(node.toString());
        out.write('\n');
    }

    private interface Content {
        void writeTo(BufferedWriter out) throws IOException;
    }

    private static void write(Path file, Content content) throws IOException {
        AtomicFile.write(file, channel -> {
            BufferedWriter out = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8), 1 << 16);
            content.writeTo(out);
            out.flush();
        });
    }
}
