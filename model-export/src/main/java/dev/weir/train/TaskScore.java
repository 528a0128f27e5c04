package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/**
 * How often a model finds the right choice by likelihood, after examples of others (Brown et al., 2020, section 2.4).
 * Immutable; any thread.
 *
 * <p>The prompt is the examples, each its context and right choice, an empty line between any two, and then the item's own
 * context. The model's choice is the likeliest continuation: by its log-probability, and by that over its number of tokens,
 * which does not favour short ones. What is too long for the context loses tokens from the beginning.
 *
 * @param shots examples before each item
 * @param items questions
 * @param accuracy share of items whose likeliest choice was right
 * @param normalisedAccuracy the same by log-probability per token
 * @param chance what guessing would get
 * @param cut items that lost tokens
 */
record TaskScore(int shots, int items, double accuracy, double normalisedAccuracy, double chance, int cut) {
    private static final String BETWEEN = "\n\n";
    /** Items that are handed to the model at once. */
    private static final int GROUP = 64;

    /** Scores a model on items. */
    static TaskScore of(
            Scorer scorer, Tokenizer tokenizer, List<TaskItem> items, int shots, long seed, LongConsumer progress) {
        if (shots < 0 || shots >= items.size()) {
            throw new UserError("--shots is " + shots + " with " + items.size()
                    + " items in --task: it must be from 0 to one less, since an item is no example for itself");
        }
        Prompts prompts = new Prompts(scorer, tokenizer, items, shots, seed);
        int right = 0;
        int rightNormalised = 0;
        double chance = 0;
        int cut = 0;
        for (int first = 0; first < items.size(); first += GROUP) {
            int end = Math.min(first + GROUP, items.size());
            List<Scorer.Window> windows = new ArrayList<>();
            for (int index = first; index < end; index++) {
                cut += prompts.add(index, windows) ? 1 : 0;
            }
            double[] scores = scorer.score(windows);
            int next = 0;
            for (TaskItem item : items.subList(first, end)) {
                int choices = item.choices().size();
                double[] raw = Arrays.copyOfRange(scores, next, next + choices);
                double[] perToken = new double[choices];
                for (int choice = 0; choice < choices; choice++) {
                    perToken[choice] = raw[choice] / windows.get(next + choice).scored();
                }
                right += largest(raw) == item.answer() ? 1 : 0;
                rightNormalised += largest(perToken) == item.answer() ? 1 : 0;
                chance += 1.0 / choices;
                next += choices;
            }
            progress.accept(end);
        }
        double count = items.size();
        return new TaskScore(shots, items.size(), right / count, rightNormalised / count, chance / count, cut);
    }

    /** Standard error of an accuracy, as if items were drawn independently. */
    double standardError(double share) {
        return Math.sqrt(share * (1 - share) / items);
    }

    private static int largest(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }

    /** Puts items and their examples into windows. */
    private record Prompts(Scorer scorer, Tokenizer tokenizer, List<TaskItem> items, int shots, long seed) {
        /** Adds a window for each choice of an item; returns whether one had to lose tokens. */
        boolean add(int index, List<Scorer.Window> windows) {
            TaskItem item = items.get(index);
            int[] prompt = tokenizer.encode(examples(index) + item.prompt());
            if (prompt.length == 0) {
                prompt = tokenizer.eosId().stream().toArray();
            }
            if (prompt.length == 0) {
                throw new UserError("--task, line " + item.line()
                        + ": context is empty and the tokenizer has no token to start with: give a context");
            }
            boolean cut = false;
            for (int choice = 0; choice < item.choices().size(); choice++) {
                int[] continuation = tokenizer.encode(item.continuation(choice));
                int room = scorer.context() + 1 - continuation.length;
                if (room < 1) {
                    throw new UserError("--task, line " + item.line() + ": a choice has " + continuation.length
                            + " tokens and the model's context only " + scorer.context() + ": shorten it");
                }
                int kept = Math.min(prompt.length, room);
                cut |= kept < prompt.length;
                int[] tokens = Arrays.copyOf(
                        Arrays.copyOfRange(prompt, prompt.length - kept, prompt.length), kept + continuation.length);
                System.arraycopy(continuation, 0, tokens, kept, continuation.length);
                windows.add(new Scorer.Window(tokens, kept));
            }
            return cut;
        }

        /** Other items with their answers, drawn for this one; more shots begin with those that fewer have. */
        private String examples(int index) {
            SplittableRandom random = new SplittableRandom(Seeds.mix(seed, index));
            SequencedSet<Integer> drawn = new LinkedHashSet<>();
            while (drawn.size() < shots) {
                int other = random.nextInt(items.size());
                if (other != index) {
                    drawn.add(other);
                }
            }
            StringBuilder text = new StringBuilder();
            for (int other : drawn) {
                TaskItem item = items.get(other);
                text.append(item.prompt())
                        .append(item.continuation(item.answer()))
                        .append(BETWEEN);
            }
            return text.toString();
        }
    }
}
