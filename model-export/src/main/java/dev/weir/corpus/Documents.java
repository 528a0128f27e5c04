package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;

/** Makes up the documents of the pre-training text. Immutable; any thread. */
final class Documents {
    private final List<Skill> skills;
    private final List<Mapping> mappings;
    private final Conversations conversations;

    Documents(CorpusBook book, List<Skill> skills) {
        this.skills = skills.stream()
                .filter(skill ->
                        !skill.name().startsWith("tool") && !skill.name().startsWith("memory"))
                .filter(skill -> !skill.name().equals("own-name"))
                .toList();
        this.mappings = Mapping.all(book);
        this.conversations = new Conversations(skills);
    }

    String write(Scribe scribe) {
        CorpusRandom random = scribe.random();
        return switch (random.weighted(34, 9, 9, 6, 5, 7, 6, 17, 5, 4, 40)) {
            case 0 -> story(scribe);
            case 1 -> storyWithQuestions(scribe);
            case 2 -> knowledge(scribe);
            case 3 -> scene(scribe);
            case 4 -> description(scribe);
            case 5 -> letter(scribe);
            case 6 -> patterns(scribe);
            case 7 -> ConversationText.of(conversations.write(scribe), random);
            case 8 -> worksheet(scribe);
            case 9 -> sums(scribe);
            default -> Drills.write(scribe);
        };
    }

    private static String story(Scribe scribe) {
        Story story = StoryTeller.tell(scribe);
        return scribe.random().chance(45) ? story.title() + "\n\n" + story.text() : story.text();
    }

    private static String storyWithQuestions(Scribe scribe) {
        Story story = StoryTeller.tellToAsk(scribe);
        List<Story.Question> questions = new ArrayList<>(story.questions());
        scribe.random().shuffle(questions);
        boolean brief = scribe.random().chance(50);
        StringBuilder text = new StringBuilder(story.text()).append('\n');
        for (Story.Question question : questions.subList(0, Math.min(4, questions.size()))) {
            text.append("\nQuestion: ").append(question.question());
            text.append("\nAnswer: ").append(brief ? question.answer() : question.sentence());
        }
        return text.toString();
    }

    private static String knowledge(Scribe scribe) {
        return switch (scribe.random().weighted(30, 25, 15, 15, 15)) {
            case 0 -> Prose.portrait(scribe);
            case 1 -> Prose.facts(scribe);
            case 2 -> Prose.dictionary(scribe);
            case 3 -> Prose.instructions(scribe);
            default -> String.join("\n", Prose.why(scribe)).strip();
        };
    }

    private static String scene(Scribe scribe) {
        Person one = scribe.cast().person("kid");
        Person other = scribe.cast().person(scribe.random().chance(75) ? "kid" : "grown-up");
        scribe.keep("a", one);
        scribe.keep("b", other);
        StringBuilder text = new StringBuilder();
        if (scribe.random().chance(50)) {
            text.append(scribe.write("scene-heading")).append("\n\n");
        }
        boolean asPlay = scribe.random().chance(70);
        String[] turns = scribe.write("scene").split(" => ", -1);
        for (int i = 0; i < turns.length; i++) {
            String speaker = (i % 2 == 0 ? one : other).base();
            text.append(i == 0 ? "" : "\n");
            text.append(asPlay ? speaker + ": " + turns[i] : "\"" + turns[i] + "\"");
        }
        return text.toString();
    }

    private static String description(Scribe scribe) {
        return switch (scribe.random().weighted(40, 20, 25, 15)) {
            case 0 -> {
                scribe.keep("p", scribe.cast().person(scribe.random().chance(60) ? "neighbour" : "elder"));
                yield scribe.write("portrait");
            }
            case 1 -> scribe.write("room-view");
            case 2 -> scribe.write("town-view");
            default -> scribe.write("season-text");
        };
    }

    private static String letter(Scribe scribe) {
        scribe.keep("from", scribe.cast().person("kid"));
        scribe.keep("to", scribe.cast().person(scribe.random().chance(60) ? "kid" : "elder"));
        String rule = scribe.random()
                .of(List.of(
                        "letter",
                        "letter",
                        "letter",
                        "letter",
                        "diary",
                        "diary",
                        "diary",
                        "news",
                        "news",
                        "note",
                        "invitation",
                        "advert",
                        "weather-report",
                        "counting-rhyme",
                        "shopping-list",
                        "timetable"));
        return scribe.write(rule);
    }

    private String patterns(Scribe scribe) {
        List<String> parts = new ArrayList<>();
        for (int i = scribe.random().between(1, 3); i > 0; i--) {
            parts.add(PatternSkill.lines(
                    scribe, scribe.random().of(mappings), scribe.random().between(3, 12)));
        }
        return String.join("\n\n", parts);
    }

    /** Exercises of one or more skills with their answers. */
    private String worksheet(Scribe scribe) {
        CorpusRandom random = scribe.random();
        String[] labels = random.of(List.of(
                new String[] {"", "\n"},
                new String[] {"Question: ", "\nAnswer: "},
                new String[] {"Q: ", "\nA: "},
                new String[] {"Exercise: ", "\nSolution: "},
                new String[] {"", " => "},
                new String[] {"Task: ", "\nResult: "}));
        Skill skill = random.of(skills);
        boolean alike = random.chance(60);
        List<String> parts = new ArrayList<>();
        for (int i = random.between(2, 6); i > 0; i--) {
            Skill.Exercise exercise = skill.exercise(scribe.another());
            if (exercise.asked().getLast() instanceof Conversation.Said asked
                    && exercise.asked().size() == 1) {
                parts.add(labels[0] + asked.content() + labels[1] + exercise.answer());
            }
            skill = alike ? skill : random.of(skills);
        }
        return parts.isEmpty() ? worksheet(scribe) : String.join("\n\n", parts);
    }

    /** Sums and differences, some of them worked out. */
    private static String sums(Scribe scribe) {
        CorpusRandom random = scribe.random();
        List<String> lines = new ArrayList<>();
        int digits = random.between(1, 2);
        boolean difference = random.chance(45);
        boolean explained = digits == 2 && !difference && random.chance(60);
        boolean inWords = random.chance(15);
        int count = explained ? random.between(2, 5) : random.between(4, 14);
        while (lines.size() < count) {
            SumSkills.Pair pair = SumSkills.draw(scribe, difference, digits, SumSkills.Carry.ANY);
            int result = difference ? pair.a() - pair.b() : pair.a() + pair.b();
            String steps = explained ? SumSkills.steps(scribe, pair) : "";
            if (!steps.isEmpty()) {
                lines.add(pair.a() + " + " + pair.b() + " = ? " + steps);
            } else if (inWords) {
                lines.add(English.capital(English.number(pair.a())) + (difference ? " minus " : " plus ")
                        + English.number(pair.b()) + " is " + English.number(result) + ".");
            } else {
                lines.add(pair.a() + (difference ? " - " : " + ") + pair.b() + " = " + result);
            }
        }
        return String.join("\n", lines);
    }
}
