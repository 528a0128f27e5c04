package dev.weir.corpus;

import java.util.List;

/** Sums and differences of one and two digits, with and without a carry. Static functions; any thread. */
final class SumSkills {
    private SumSkills() {}

    static List<Skill> all() {
        return List.of(
                new Sum("sum-1-digit", false, 1, Carry.ANY, "ask-sum"),
                new Sum("sum-2-digits", false, 2, Carry.NO, "ask-sum"),
                new Sum("sum-2-digits-carry", false, 2, Carry.YES, "ask-sum"),
                new Sum("difference-1-digit", true, 1, Carry.ANY, "ask-difference"),
                new Sum("difference-2-digits", true, 2, Carry.NO, "ask-difference"),
                new Sum("difference-2-digits-borrow", true, 2, Carry.YES, "ask-difference"),
                new Sum("sum-in-words", false, 2, Carry.ANY, "problem-sum"),
                new Sum("difference-in-words", true, 2, Carry.ANY, "problem-difference"));
    }

    /** Whether the ones spill over into the tens. */
    enum Carry {
        YES,
        NO,
        ANY
    }

    record Pair(int a, int b) {
        boolean carries(boolean isDifference) {
            return isDifference ? a % 10 < b % 10 : a % 10 + b % 10 > 9;
        }
    }

    /** Two numbers whose sum or difference a side may show. */
    static Pair draw(Scribe scribe, boolean isDifference, int digits, Carry carry) {
        CorpusRandom random = scribe.random();
        while (true) {
            int a = digits == 1 ? random.below(10) : random.between(10, 99);
            int b = digits == 1 ? random.below(10) : random.between(random.chance(25) ? 2 : 10, 99);
            Pair pair = new Pair(isDifference ? Math.max(a, b) : a, isDifference ? Math.min(a, b) : b);
            boolean fits = carry == Carry.ANY || pair.carries(isDifference) == (carry == Carry.YES);
            if (fits && scribe.side().admitsPair(a, b)) {
                return pair;
            }
        }
    }

    private record Sum(String name, boolean isDifference, int digits, Carry carry, String rule) implements Skill {
        @Override
        public Exercise exercise(Scribe scribe) {
            boolean told = rule.startsWith("problem");
            Pair pair;
            do {
                pair = draw(scribe, isDifference, told && scribe.random().chance(40) ? 1 : digits, carry);
            } while (told && (pair.b < 2 || pair.a < 2 || pair.a == pair.b));
            scribe.keep("a", pair.a);
            scribe.keep("b", pair.b);
            int result = isDifference ? pair.a - pair.b : pair.a + pair.b;
            return Exercise.of(scribe.write(rule), "" + result, pair.a + " " + pair.b);
        }
    }

    /**
     * How a sum of two digits is worked out, column by column. Empty if that would show a small sum that is held out.
     */
    static String steps(Scribe scribe, Pair pair) {
        int ones = pair.a % 10 + pair.b % 10;
        int tensA = pair.a / 10;
        int tensB = pair.b / 10;
        if (!scribe.side().admitsPair(pair.a % 10, pair.b % 10)
                || !scribe.side().admitsPair(tensA, tensB)) {
            return "";
        }
        String text = "Ones: " + pair.a % 10 + " + " + pair.b % 10 + " = " + ones + ".";
        if (ones > 9) {
            text += " Write " + ones % 10 + ", carry 1. Tens: " + tensA + " + " + tensB + " and the carried 1 = "
                    + (tensA + tensB + 1) + ".";
        } else {
            text += " Tens: " + tensA + " + " + tensB + " = " + (tensA + tensB) + ".";
        }
        return text + " So " + pair.a + " + " + pair.b + " = " + (pair.a + pair.b) + ".";
    }
}
