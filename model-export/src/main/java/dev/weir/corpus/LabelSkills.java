package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Texts and words to be put into one of a few groups. Static functions; any thread. */
final class LabelSkills {
    private LabelSkills() {}

    /** A group, its name in a list of choices, and the rule that its members come from. */
    private record Group(String label, String choice, String source) {
        Group(String label, String source) {
            this(label, label, source);
        }
    }

    static List<Skill> all(CorpusBook book) {
        return List.of(
                new OneText(
                        "sentiment",
                        List.of(new Group("positive", "review-good"), new Group("negative", "review-bad")),
                        2),
                new OneText(
                        "topic",
                        List.of(
                                new Group("sports", "topic-sports"),
                                new Group("food", "topic-food"),
                                new Group("weather", "topic-weather"),
                                new Group("animals", "topic-animals"),
                                new Group("school", "topic-school"),
                                new Group("music", "topic-music"),
                                new Group("travel", "topic-travel")),
                        4),
                new OneText(
                        "sentence-kind",
                        List.of(
                                new Group("statement", "a statement", "sentence-statement"),
                                new Group("question", "a question", "sentence-question"),
                                new Group("command", "a command", "sentence-command")),
                        3),
                new OneText(
                        "tense",
                        List.of(
                                new Group("past", "sentence-past"),
                                new Group("present", "sentence-present"),
                                new Group("future", "sentence-future")),
                        3),
                new OneText(
                        "urgent",
                        List.of(new Group("urgent", "message-urgent"), new Group("not urgent", "message-calm")),
                        2),
                new Living(Divided.of("living", living(book), Mapping.Entry::from)),
                new Category(Divided.of("category", categories(book), Mapping.Entry::from)),
                new MadeUpLabels());
    }

    private static List<Mapping.Entry> living(CorpusBook book) {
        List<Mapping.Entry> entries = new ArrayList<>();
        for (String kind : List.of("animal", "plant")) {
            book.lexicon().all(kind).forEach(word -> entries.add(new Mapping.Entry(word.base(), kind)));
        }
        return entries;
    }

    private static final List<String> CATEGORIES = List.of(
            "fruit", "vegetable", "bird", "insect", "instrument", "vehicle", "clothing", "furniture", "tool", "flower");

    private static List<Mapping.Entry> categories(CorpusBook book) {
        List<Mapping.Entry> entries = new ArrayList<>();
        for (String kind : CATEGORIES) {
            for (String word : book.lexicon().plain(kind, 3, 12)) {
                // A paintbrush is a tool, a pepper a vegetable: what is in two groups is in none.
                boolean elsewhere = CATEGORIES.stream()
                        .anyMatch(other -> !other.equals(kind)
                                && book.lexicon().plain(other, 3, 12).contains(word));
                if (!elsewhere) {
                    entries.add(new Mapping.Entry(word, kind));
                }
            }
        }
        return entries;
    }

    /** "positive, negative or neutral". */
    private static String choice(Scribe scribe, List<String> labels) {
        List<String> shuffled = new ArrayList<>(labels);
        scribe.random().shuffle(shuffled);
        int last = shuffled.size() - 1;
        return String.join(", ", shuffled.subList(0, last)) + " or " + shuffled.get(last);
    }

    /** A text of one of the groups, of which so many are offered. */
    private record OneText(String name, List<Group> groups, int offered) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            List<Group> shuffled = new ArrayList<>(groups);
            scribe.random().shuffle(shuffled);
            int count = Math.max(2, scribe.random().between(2, offered));
            List<Group> choices = shuffled.subList(0, count);
            Group right = scribe.random().of(choices);
            String item = scribe.admitted(name, () -> scribe.another().write(right.source), UnaryOperator.identity());
            scribe.keep("item", item);
            scribe.keep(
                    "labels", choice(scribe, choices.stream().map(Group::choice).toList()));
            return Exercise.of(scribe.write("ask-" + name), right.label, item);
        }
    }

    private record Living(Divided<Mapping.Entry> entries) implements Skill {
        @Override
        public String name() {
            return "living";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            // Animals are more; both shall be equally likely.
            String kind = scribe.random().chance(50) ? "animal" : "plant";
            Mapping.Entry entry;
            do {
                entry = scribe.of(entries);
            } while (!entry.to().equals(kind));
            scribe.keep("word", new Word(entry.from(), Word.Kind.NOUN, List.of()));
            return Exercise.of(scribe.write("ask-living"), kind, entry.from());
        }
    }

    private record Category(Divided<Mapping.Entry> entries) implements Skill {
        @Override
        public String name() {
            return "category";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            Mapping.Entry entry = scribe.of(entries);
            List<String> labels = new ArrayList<>(CATEGORIES);
            labels.remove(entry.to());
            scribe.random().shuffle(labels);
            List<String> offered =
                    new ArrayList<>(labels.subList(0, scribe.random().between(1, 3)));
            offered.add(entry.to());
            scribe.keep("word", new Word(entry.from(), Word.Kind.NOUN, List.of()));
            scribe.keep("labels", choice(scribe, offered));
            return Exercise.of(scribe.write("ask-category"), entry.to(), entry.from());
        }
    }

    /** Words of two or three kinds under labels that mean nothing, so that only the examples tell which is which. */
    private record MadeUpLabels() implements Skill {
        private static final List<List<String>> LABELS = List.of(
                List.of("A", "B", "C"),
                List.of("1", "2", "3"),
                List.of("red", "blue", "green"),
                List.of("yes", "no", "maybe"),
                List.of("foo", "bar", "baz"),
                List.of("left", "right", "middle"),
                List.of("X", "Y", "Z"),
                List.of("up", "down", "level"),
                List.of("zip", "zap", "zop"),
                List.of("hot", "cold", "warm"),
                List.of("+", "-", "0"),
                List.of("cat", "dog", "owl"),
                List.of("one", "two", "three"),
                List.of("sun", "moon", "star"),
                List.of("wug", "dax", "blick"));
        private static final List<String> KINDS = List.of(
                "fruit",
                "vegetable",
                "bird",
                "clothing",
                "tool",
                "instrument",
                "vehicle",
                "furniture",
                "plain-color",
                "weekday",
                "sport",
                "profession",
                "pet",
                "month",
                "number-word",
                "boy-name",
                "common-verb");
        private static final List<String> ARROWS = List.of(" -> ", ": ", " = ", " => ", " | ", " ~ ");

        @Override
        public String name() {
            return "made-up-labels";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            CorpusRandom random = scribe.random();
            int count = random.chance(65) ? 2 : 3;
            List<String> kinds = new ArrayList<>(KINDS);
            List<String> words = scribe.admitted(
                    name(),
                    () -> {
                        random.shuffle(kinds);
                        return scribe.draw(kinds.getFirst(), random.between(3, 4));
                    },
                    drawn -> kinds.getFirst() + " " + drawn.getLast());
            List<String> labels = new ArrayList<>(random.of(LABELS));
            random.shuffle(labels);
            List<String> lines = new ArrayList<>();
            String arrow = random.of(ARROWS);
            for (int i = 0; i < count; i++) {
                List<String> members = i == 0 ? words.subList(0, words.size() - 1) : scribe.draw(kinds.get(i), 2);
                for (String member : members) {
                    lines.add(member + arrow + labels.get(i));
                }
            }
            random.shuffle(lines);
            String asked = words.getLast();
            String question = String.join("\n", lines) + "\n" + asked + arrow.stripTrailing();
            return Exercise.of(question, labels.getFirst(), kinds.getFirst() + " " + asked);
        }
    }
}
