package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Makes up conversations between a user and an assistant. Immutable; any thread. */
final class Conversations {
    private final List<Skill> plain;
    private final List<Skill> remembering;
    private final List<Skill> calling;

    Conversations(List<Skill> skills) {
        Predicate<Skill> remembers =
                skill -> skill.name().startsWith("memory") || skill.name().equals("own-name");
        Predicate<Skill> calls = skill -> skill.name().startsWith("tool");
        remembering = skills.stream().filter(remembers).toList();
        calling = skills.stream().filter(calls).toList();
        plain = skills.stream().filter(remembers.or(calls).negate()).toList();
    }

    /** The turns of a script, in which {@code =>} stands between them and the user begins. */
    static List<Conversation.Message> turns(String script) {
        List<Conversation.Message> messages = new ArrayList<>();
        for (String turn : script.split(" => ", -1)) {
            messages.add(messages.size() % 2 == 0 ? Conversation.user(turn) : Conversation.assistant(turn));
        }
        return messages;
    }

    Conversation write(Scribe scribe) {
        CorpusRandom random = scribe.random();
        return switch (random.weighted(34, 10, 13, 9, 8, 14, 12)) {
            case 0 -> framed(scribe, exercises(scribe));
            case 1 -> framed(scribe, smallTalk(scribe));
            case 2 -> remembered(scribe);
            case 3 -> framed(scribe, story(scribe));
            case 4 -> framed(scribe, storyQuestions(scribe));
            case 5 -> tools(scribe);
            default -> framed(scribe, knowledge(scribe));
        };
    }

    /** Often with a system message before and a greeting or a farewell around. */
    private static Conversation framed(Scribe scribe, List<Conversation.Message> turns) {
        CorpusRandom random = scribe.random();
        List<Conversation.Message> messages = new ArrayList<>();
        if (random.chance(30)) {
            messages.add(Conversation.system(scribe.write("system")));
        }
        if (random.chance(14)) {
            messages.addAll(turns(scribe.another().write(random.chance(75) ? "hello" : "who")));
        }
        messages.addAll(turns);
        if (random.chance(14)) {
            messages.addAll(turns(scribe.another().write("bye")));
        }
        return new Conversation(messages);
    }

    private List<Conversation.Message> exercises(Scribe scribe) {
        CorpusRandom random = scribe.random();
        List<Conversation.Message> messages = new ArrayList<>();
        boolean alike = random.chance(40);
        Skill skill = random.of(plain);
        for (int i = random.weighted(0, 5, 4, 3, 2); i > 0; i--) {
            messages.addAll(skill.exercise(scribe.another()).solved());
            skill = alike ? skill : random.of(plain);
        }
        return messages;
    }

    private static List<Conversation.Message> smallTalk(Scribe scribe) {
        List<Conversation.Message> messages = new ArrayList<>();
        for (int i = scribe.random().between(1, 3); i > 0; i--) {
            if (scribe.random().chance(15)) {
                messages.addAll(riddle(scribe.another()));
            } else {
                messages.addAll(turns(scribe.another().write("small-talk")));
            }
        }
        return messages;
    }

    private static List<Conversation.Message> riddle(Scribe scribe) {
        String[] riddle = scribe.write("riddle").split(" => ", -1);
        List<Conversation.Message> messages = new ArrayList<>();
        messages.add(Conversation.user(scribe.write("ask-riddle")));
        messages.add(Conversation.assistant(riddle[0]));
        messages.add(Conversation.user(scribe.write("give-up")));
        messages.add(Conversation.assistant(riddle[1]));
        return messages;
    }

    private Conversation remembered(Scribe scribe) {
        Skill skill = scribe.random().of(remembering);
        List<Conversation.Message> messages =
                new ArrayList<>(skill.exercise(scribe.another()).solved());
        if (scribe.random().chance(30)) {
            messages.addAll(turns(scribe.another().write("bye")));
        }
        return new Conversation(messages);
    }

    private static List<Conversation.Message> story(Scribe scribe) {
        Scribe own = scribe.another();
        Story story = StoryTeller.tell(own);
        List<Conversation.Message> messages = new ArrayList<>();
        boolean isAboutSomebody = own.knows("hero") && scribe.random().chance(75);
        own.keep("title", story.title());
        messages.add(Conversation.user(own.write(isAboutSomebody ? "ask-story-about" : "ask-story")));
        messages.add(Conversation.assistant(
                isAboutSomebody || scribe.random().chance(50) ? story.text() : story.title() + "\n\n" + story.text()));
        if (scribe.random().chance(45)) {
            addQuestions(scribe, story, messages);
        }
        if (scribe.random().chance(25)) {
            messages.addAll(turns(scribe.write("after-story")));
        }
        return messages;
    }

    private static List<Conversation.Message> storyQuestions(Scribe scribe) {
        Story story = StoryTeller.tellToAsk(scribe);
        List<Conversation.Message> messages = new ArrayList<>();
        addQuestions(scribe, story, messages);
        Conversation.Said first = (Conversation.Said) messages.getFirst();
        messages.set(
                0, Conversation.user(scribe.write("read-this") + "\n\n" + story.text() + "\n\n" + first.content()));
        return messages;
    }

    /** One to three questions, answered in a word or as a sentence. */
    private static void addQuestions(Scribe scribe, Story story, List<Conversation.Message> messages) {
        List<Story.Question> questions = new ArrayList<>(story.questions());
        scribe.random().shuffle(questions);
        int count = Math.min(questions.size(), scribe.random().between(1, 3));
        for (Story.Question question : questions.subList(0, count)) {
            boolean brief = scribe.random().chance(40);
            messages.add(Conversation.user(
                    brief ? question.question() + " " + scribe.write("answer-briefly") : question.question()));
            messages.add(Conversation.assistant(brief ? question.answer() : question.sentence()));
        }
    }

    private Conversation tools(Scribe scribe) {
        CorpusRandom random = scribe.random();
        if (random.chance(30)) {
            Skill.Exercise exercise = calling.getLast().exercise(scribe.another());
            return new Conversation(exercise.solved(), exercise.tools());
        }
        Scribe own = scribe.another();
        ToolUse use = ToolUse.draw(own, random.of(scribe.book().tools()));
        List<Conversation.Message> messages = ToolSkills.opening(own);
        if (random.chance(18)) {
            // Not everything needs a function.
            messages.addAll(
                    random.chance(50)
                            ? random.of(plain).exercise(scribe.another()).solved()
                            : turns(scribe.another().write("hello")));
        }
        addUse(own, use, messages, 1);
        if (random.chance(30)) {
            Scribe next = scribe.another();
            addUse(next, ToolUse.again(next, use), messages, 2);
        }
        if (random.chance(14)) {
            messages.addAll(turns(scribe.another().write("bye")));
        }
        return new Conversation(messages, ToolSkills.declared(scribe.another(), use));
    }

    private static void addUse(Scribe scribe, ToolUse use, List<Conversation.Message> messages, int number) {
        messages.add(Conversation.user(scribe.write(use.kind().ask())));
        messages.add(ToolSkills.called(use, number));
        messages.add(new Conversation.Returned("call_" + number, use.result()));
        messages.add(Conversation.assistant(scribe.write(use.kind().tell())));
    }

    private static List<Conversation.Message> knowledge(Scribe scribe) {
        List<Conversation.Message> messages = new ArrayList<>();
        for (int i = scribe.random().between(1, 3); i > 0; i--) {
            messages.addAll(Prose.exchange(scribe.another()));
        }
        return messages;
    }
}
