package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;

/** Calls of declared functions, and answers from what these gave back. Static functions; any thread. */
final class ToolSkills {
    private ToolSkills() {}

    static List<Skill> all() {
        return List.of(new Call(), new Answer());
    }

    /** The function itself and up to three others, in random order. */
    static List<ToolFunction> declared(Scribe scribe, ToolUse use) {
        CorpusRandom random = scribe.random();
        List<ToolFunction> functions = new ArrayList<>();
        functions.add(use.function());
        for (int i = random.weighted(4, 3, 2, 1); i > 0; i--) {
            ToolKind other = random.of(scribe.book().tools());
            ToolFunction function = ToolUse.draw(scribe.another(), other).function();
            boolean isClear = functions.stream()
                    .noneMatch(known -> known.name().equals(function.name())
                            || known.description().equals(function.description()));
            // Two kinds that may do the same would make two calls right.
            boolean differs = !group(other).equals(group(use.kind()));
            if (isClear && differs) {
                functions.add(function);
            }
        }
        random.shuffle(functions);
        return List.copyOf(functions);
    }

    private static String group(ToolKind kind) {
        return switch (kind.name()) {
            case "calculator-plus", "calculator-minus", "calculator-times", "add-numbers" -> "sums";
            case "weather", "forecast" -> "weather";
            case "call", "contact", "message" -> "people";
            case "timer", "alarm", "reminder", "event" -> "time";
            default -> kind.name();
        };
    }

    static List<Conversation.Message> opening(Scribe scribe) {
        List<Conversation.Message> messages = new ArrayList<>();
        if (scribe.random().chance(40)) {
            messages.add(Conversation.system(scribe.write("tool-system")));
        }
        return messages;
    }

    static Conversation.Called called(ToolUse use, int number) {
        return new Conversation.Called("call_" + number, use.function().name(), use.arguments());
    }

    private record Call() implements Skill {
        @Override
        public String name() {
            return "tool-call";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            ToolUse use = ToolUse.draw(scribe, scribe.random().of(scribe.book().tools()));
            List<Conversation.Message> asked = opening(scribe);
            asked.add(Conversation.user(scribe.write(use.kind().ask())));
            Conversation.Called call = called(use, 1);
            return new Exercise(
                    asked,
                    ConversationText.call(call),
                    call,
                    use.kind().name() + " " + use.arguments(),
                    declared(scribe, use));
        }
    }

    /** The question, the call and its result are given; the answer is one of the result's values. */
    private record Answer() implements Skill {
        @Override
        public String name() {
            return "tool-result";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            ToolKind kind;
            do {
                kind = scribe.random().of(scribe.book().tools());
            } while (kind.brief().isEmpty());
            ToolUse use = ToolUse.draw(scribe, kind);
            ToolKind.Brief brief = scribe.random().of(kind.brief());
            List<Conversation.Message> asked = opening(scribe);
            asked.add(Conversation.user(scribe.write(brief.ask())));
            asked.add(called(use, 1));
            asked.add(new Conversation.Returned("call_1", use.result()));
            String answer = scribe.write(brief.answer());
            return new Exercise(
                    asked,
                    answer,
                    Conversation.assistant(answer),
                    kind.name() + " " + use.arguments(),
                    declared(scribe, use));
        }
    }
}
