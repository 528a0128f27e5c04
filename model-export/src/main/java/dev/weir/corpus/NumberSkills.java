package dev.weir.corpus;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Exercises with numbers that need no sum. Static functions; any thread. */
final class NumberSkills {
    private NumberSkills() {}

    static List<Skill> all() {
        return List.of(
                new Counting("count-up", 1, false),
                new Counting("count-down", 1, true),
                new Counting("count-step", 2, false),
                new NextNumber(),
                new OneNumber("even-odd", 999, n -> n % 2 == 0 ? "even" : "odd"),
                new OneNumber("next-one", 999, n -> "" + (n + 1)),
                new OneNumber("previous-one", 999, n -> "" + (n - 1)),
                new OneNumber("number-word", 999, English::number),
                new WordNumber(),
                new TwoNumbers("compare", Math::max),
                new TwoNumbers("compare-less", Math::min),
                new ManyNumbers("largest", numbers -> "" + Collections.max(numbers)),
                new ManyNumbers("smallest", numbers -> "" + Collections.min(numbers)),
                new ManyNumbers(
                        "sort-numbers",
                        numbers -> join(numbers.stream().sorted().toList())));
    }

    private static String join(List<Integer> numbers) {
        return String.join(", ", numbers.stream().map(String::valueOf).toList());
    }

    private record Counting(String name, int leastStep, boolean isDown) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            CorpusRandom random = scribe.random();
            int[] drawn = scribe.admitted(
                    name,
                    () -> new int[] {
                        random.below(random.chance(70) ? 20 : 90),
                        random.between(2, 9),
                        leastStep == 1 ? 1 : random.of(List.of(2, 3, 4, 5, 10))
                    },
                    numbers -> numbers[0] + " " + numbers[1] + " " + numbers[2]);
            int from = drawn[0];
            int step = drawn[2];
            int to = from + drawn[1] * step;
            List<Integer> numbers = new ArrayList<>();
            for (int n = from; n <= to; n += step) {
                numbers.add(n);
            }
            if (isDown) {
                Collections.reverse(numbers);
            }
            scribe.keep("a", from);
            scribe.keep("b", to);
            scribe.keep("step", step);
            scribe.keep("stepth", step == 10 ? "tenth" : SentenceSkills.ordinal(step));
            return Exercise.of(scribe.write("ask-" + name), join(numbers), from + " " + to + " " + step);
        }
    }

    private record NextNumber() implements Skill {
        @Override
        public String name() {
            return "next-number";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            List<Integer> numbers = scribe.admitted(name(), () -> sequence(scribe.random()), NumberSkills::join);
            String key = join(numbers);
            int next = numbers.removeLast();
            scribe.keep("items", join(numbers));
            return Exercise.of(scribe.write("ask-next-number"), "" + next, key);
        }

        private static List<Integer> sequence(CorpusRandom random) {
            int shown = random.between(3, 5);
            if (random.chance(12)) {
                int start = random.between(1, 5);
                return new ArrayList<>(
                        IntStream.range(0, shown + 1).mapToObj(i -> start << i).toList());
            }
            int step = random.between(1, 10);
            boolean down = random.chance(25);
            int start = random.between(0, 40) + (down ? step * shown : 0);
            return new ArrayList<>(IntStream.range(0, shown + 1)
                    .mapToObj(i -> start + (down ? -i : i) * step)
                    .toList());
        }
    }

    private record OneNumber(String name, int most, IntFunction<String> answer) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            CorpusRandom random = scribe.random();
            int number = scribe.admitted(
                    name, () -> random.between(1, random.chance(60) ? Math.min(most, 60) : most), String::valueOf);
            scribe.keep("a", number);
            return Exercise.of(scribe.write("ask-" + name), answer.apply(number), "" + number);
        }
    }

    private record WordNumber() implements Skill {
        @Override
        public String name() {
            return "word-number";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            int number = scribe.admitted(
                    name(), () -> scribe.random().between(1, scribe.random().chance(60) ? 120 : 999), String::valueOf);
            scribe.keep("words", English.number(number));
            return Exercise.of(scribe.write("ask-word-number"), "" + number, "" + number);
        }
    }

    private interface Choice {
        int of(int a, int b);
    }

    private record TwoNumbers(String name, Choice choice) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            CorpusRandom random = scribe.random();
            int most = random.chance(50) ? 30 : 200;
            int[] pair = scribe.admitted(
                    name,
                    () -> new int[] {random.between(1, most), random.between(1, most)},
                    numbers -> Math.min(numbers[0], numbers[1]) + " " + Math.max(numbers[0], numbers[1]));
            if (pair[0] == pair[1]) {
                return exercise(scribe);
            }
            scribe.keep("a", pair[0]);
            scribe.keep("b", pair[1]);
            return Exercise.of(scribe.write("ask-" + name), "" + choice.of(pair[0], pair[1]), pair[0] + " " + pair[1]);
        }
    }

    private interface Task {
        String answer(List<Integer> numbers);
    }

    private record ManyNumbers(String name, Task task) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            List<Integer> numbers = scribe.admitted(name, () -> draw(scribe.random()), NumberSkills::join);
            scribe.keep("items", join(numbers));
            return Exercise.of(scribe.write("ask-" + name), task.answer(numbers), join(numbers));
        }

        private static List<Integer> draw(CorpusRandom random) {
            int count = random.between(3, 5);
            int most = random.chance(50) ? 30 : 99;
            List<Integer> numbers = new ArrayList<>();
            while (numbers.size() < count) {
                int number = random.between(1, most);
                if (!numbers.contains(number)) {
                    numbers.add(number);
                }
            }
            return numbers;
        }
    }
}
