package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Exercises with a list of words. Static functions; any thread. */
final class ListSkills {
    private static final List<String> LISTS = List.of(
            "pet",
            "farm-animal",
            "zoo-animal",
            "wild-animal",
            "bird",
            "fruit",
            "vegetable",
            "baked",
            "toy",
            "clothing",
            "tool",
            "vehicle",
            "instrument",
            "kitchen-thing",
            "furniture",
            "flower",
            "small-thing",
            "sport",
            "plain-color",
            "profession",
            "weekday",
            "month",
            "abstract",
            "nature-thing");
    private static final List<String> KINDS =
            List.of("fruit", "vegetable", "clothing", "tool", "vehicle", "instrument", "furniture", "bird", "flower");

    private ListSkills() {}

    /** What an exercise asks about a list, and its answer. */
    private interface Task {
        String answer(Scribe scribe, List<String> items);
    }

    static List<Skill> all() {
        return List.of(
                new OneList("sort-words", 3, 5, (_, items) -> sorted(items)),
                new OneList("nth-item", 3, 6, ListSkills::nth),
                new OneList("last-item", 3, 6, (_, items) -> items.getLast()),
                new OneList("count-items", 2, 7, (_, items) -> "" + items.size()),
                new OneList("contains", 3, 6, ListSkills::contains),
                new OneList("join", 2, 5, ListSkills::joined),
                new OneList("remove", 3, 5, ListSkills::without),
                new OneList("replace", 3, 5, ListSkills::replaced),
                new OneList("initials", 3, 5, (_, items) -> letters(items, item -> item.substring(0, 1))),
                new OneList(
                        "last-letters", 3, 4, (_, items) -> letters(items, item -> item.substring(item.length() - 1))),
                new LongestWord(),
                new OddOneOut());
    }

    private static String join(List<String> items) {
        return String.join(", ", items);
    }

    private static String sorted(List<String> items) {
        return join(items.stream().sorted(String.CASE_INSENSITIVE_ORDER).toList());
    }

    private static String nth(Scribe scribe, List<String> items) {
        int n = scribe.random().between(1, Math.min(5, items.size()));
        scribe.keep("n", n);
        scribe.keep("nth", SentenceSkills.ordinal(n));
        return items.get(n - 1);
    }

    private static String contains(Scribe scribe, List<String> items) {
        boolean inside = scribe.random().chance(50);
        String word = inside
                ? scribe.random().of(items)
                : scribe.draw(scribe.random().of(LISTS), 1).getFirst();
        scribe.keep("word", word);
        return items.contains(word) ? "yes" : "no";
    }

    private static String joined(Scribe scribe, List<String> items) {
        String[] names = {"dashes", "plus signs", "the word \"and\"", "slashes", "semicolons"};
        String[] marks = {" - ", " + ", " and ", " / ", "; "};
        int way = scribe.random().below(names.length);
        scribe.keep("joiner-name", names[way]);
        return String.join(marks[way], items);
    }

    private static String without(Scribe scribe, List<String> items) {
        String word = scribe.random().of(items);
        scribe.keep("word", word);
        return join(items.stream().filter(item -> !item.equals(word)).toList());
    }

    private static String replaced(Scribe scribe, List<String> items) {
        String word = scribe.random().of(items);
        String other;
        do {
            other = scribe.draw(scribe.random().of(LISTS), 1).getFirst();
        } while (items.contains(other));
        scribe.keep("word", word);
        scribe.keep("other", other);
        List<String> changed = new ArrayList<>(items);
        changed.set(changed.indexOf(word), other);
        return join(changed);
    }

    private static String letters(List<String> items, Function<String, String> letter) {
        return String.join("", items.stream().map(letter).toList());
    }

    /** Different words, of one list or of several. */
    private static List<String> items(Scribe scribe, int least, int most) {
        int count = scribe.random().between(least, most);
        boolean mixed = scribe.random().chance(35);
        String list = scribe.random().of(LISTS);
        List<String> items = new ArrayList<>();
        while (items.size() < count) {
            String item =
                    scribe.draw(mixed ? scribe.random().of(LISTS) : list, 1).getFirst();
            if (!items.contains(item)) {
                items.add(item);
            }
        }
        return items;
    }

    private record OneList(String name, int least, int most, Task task) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            List<String> items = scribe.admitted(name, () -> items(scribe, least, most), ListSkills::join);
            scribe.keep("items", join(items));
            String answer = task.answer(scribe, items);
            return Exercise.of(scribe.write("ask-" + name), answer, join(items));
        }
    }

    /** Only lists in which one word is longer than all others. */
    private record LongestWord() implements Skill {
        @Override
        public String name() {
            return "longest-word";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            List<String> items = new ArrayList<>();
            String longest;
            do {
                items.clear();
                items.addAll(scribe.admitted(name(), () -> items(scribe, 2, 4), ListSkills::join));
                longest = items.stream()
                        .max((a, b) -> Integer.compare(a.length(), b.length()))
                        .orElseThrow();
            } while (!isLongerThanOthers(longest, items));
            scribe.keep("items", join(items));
            return Exercise.of(scribe.write("ask-longest-word"), longest, join(items));
        }

        private static boolean isLongerThanOthers(String longest, List<String> items) {
            return longest.indexOf(' ') < 0
                    && items.stream()
                                    .filter(item -> item.length() >= longest.length())
                                    .count()
                            == 1;
        }
    }

    /** Three words of one kind and one of another. */
    private record OddOneOut() implements Skill {
        @Override
        public String name() {
            return "odd-one-out";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            List<String> items = scribe.admitted(name(), () -> draw(scribe), ListSkills::sorted);
            String key = sorted(items);
            String odd = items.removeLast();
            items.add(scribe.random().below(4), odd);
            scribe.keep("items", join(items));
            return Exercise.of(scribe.write("ask-odd-one-out"), odd, key);
        }

        private static List<String> draw(Scribe scribe) {
            String kind = scribe.random().of(KINDS);
            String other;
            do {
                other = scribe.random().of(KINDS);
            } while (other.equals(kind));
            List<String> items = new ArrayList<>(scribe.draw(kind, 3));
            items.add(scribe.draw(other, 1).getFirst());
            return items;
        }
    }
}
