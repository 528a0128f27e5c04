package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;

/** What a user said some turns ago, and what the assistant itself was told to be. Static functions; any thread. */
final class MemorySkills {
    /** Things that users tell about themselves; each has its rules and where its value comes from. */
    private static final List<String> TOPICS =
            List.of("pet", "city", "colour", "food", "friend", "age", "job", "number", "hobby");

    private MemorySkills() {}

    static List<Skill> all() {
        return List.of(new NameAcrossTurns(), new FactAcrossTurns(), new OwnName());
    }

    /** A talk in which the user says what is to be remembered; other things come before and after it. */
    private static List<Conversation.Message> talk(Scribe scribe, List<String> told) {
        CorpusRandom random = scribe.random();
        List<Conversation.Message> messages = new ArrayList<>();
        if (random.chance(35)) {
            messages.add(Conversation.system(scribe.write("system")));
        }
        for (String sentence : told) {
            messages.add(Conversation.user(sentence));
            boolean isName = sentence.contains(scribe.kept("who").base());
            messages.add(Conversation.assistant(scribe.write(isName ? "greet-name" : "noted")));
            for (int i = random.weighted(5, 4, 2); i > 0; i--) {
                messages.addAll(Conversations.turns(scribe.another().write("distraction")));
            }
        }
        return messages;
    }

    private static String tellName(Scribe scribe) {
        scribe.keep("who", scribe.cast().name(scribe.random().chance(50)));
        return scribe.write("tell-name");
    }

    /** Draws a value for a topic, and says it. */
    private static String tell(Scribe scribe, String topic) {
        switch (topic) {
            case "pet" -> {
                scribe.keep("animal-kind", scribe.draw("pet"));
                scribe.keep("value", scribe.draw("pet-name"));
            }
            case "city" -> scribe.keep("value", scribe.draw("city"));
            case "colour" -> scribe.keep("value", drawn(scribe, topic, "plain-color"));
            case "food" -> scribe.keep("value", drawn(scribe, topic, "meal"));
            case "friend" ->
                scribe.keep("value", scribe.cast().name(scribe.random().chance(50)));
            case "age" -> scribe.keep("value", number(scribe, topic, 6, 80));
            case "job" -> scribe.keep("value", drawn(scribe, topic, "profession"));
            case "number" -> scribe.keep("value", number(scribe, topic, 2, 99));
            default -> scribe.keep("value", drawn(scribe, topic, "hobby"));
        }
        return scribe.write("tell-" + topic);
    }

    private static Term drawn(Scribe scribe, String topic, String list) {
        return scribe.of(Divided.of("told " + topic, scribe.book().lexicon().all(list), Term::base));
    }

    private static int number(Scribe scribe, String topic, int least, int most) {
        return scribe.admitted("told " + topic, () -> scribe.random().between(least, most), String::valueOf);
    }

    private record NameAcrossTurns() implements Skill {
        @Override
        public String name() {
            return "memory-name";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            List<String> told = new ArrayList<>();
            told.add(tellName(scribe));
            String name = scribe.kept("who").base();
            for (int i = scribe.random().below(3); i > 0; i--) {
                Scribe other = scribe.another();
                told.add(tell(other, other.random().of(TOPICS)));
            }
            List<Conversation.Message> asked = talk(scribe, told);
            asked.add(Conversation.user(scribe.write("ask-name")));
            return Exercise.of(asked, scribe.write("answer-name"), name);
        }
    }

    private record FactAcrossTurns() implements Skill {
        @Override
        public String name() {
            return "memory-fact";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            List<String> topics = new ArrayList<>(TOPICS);
            scribe.random().shuffle(topics);
            List<String> told = new ArrayList<>();
            told.add(tellName(scribe));
            String topic = topics.getFirst();
            String sentence = tell(scribe, topic);
            for (int i = scribe.random().below(3); i > 0; i--) {
                told.add(tell(scribe.another(), topics.get(i)));
            }
            told.add(scribe.random().below(told.size() + 1), sentence);
            List<Conversation.Message> asked = talk(scribe, told);
            asked.add(Conversation.user(scribe.write("ask-" + topic)));
            return Exercise.of(
                    asked,
                    scribe.write("answer-" + topic),
                    topic + " " + scribe.kept("value").base());
        }
    }

    /** The system message gives the assistant a name. */
    private record OwnName() implements Skill {
        @Override
        public String name() {
            return "own-name";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            scribe.keep("bot", scribe.draw("robot-name"));
            List<Conversation.Message> before = new ArrayList<>();
            before.add(Conversation.system(scribe.write("bot-system")));
            for (int i = scribe.random().below(3); i > 0; i--) {
                before.addAll(Conversations.turns(scribe.another().write("distraction")));
            }
            before.add(Conversation.user(scribe.write("name-of-bot")));
            return Exercise.of(
                    before, scribe.write("bot-answer"), scribe.kept("bot").base());
        }
    }
}
