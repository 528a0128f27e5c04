package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;

/**
 * Makes sequences of a task's texts (Radford et al., 2018). Immutable; any thread.
 *
 * <pre>
 * classification, regression   start text extract
 * entailment                   start premise delimiter hypothesis extract
 * similarity                   start text1 delimiter text2 extract, and the same with the texts exchanged
 * multiple choice              start question delimiter choice extract, for each choice
 * </pre>
 *
 * <p>Where a sequence is longer than the context its texts are cut: a text, a premise and the longer one of a pair lose their
 * end, and a question its beginning, since what is asked mostly stands last. The other text is left whole as long as a quarter
 * of the room is left to the first.
 */
record TaskEncoder(FinetuneTask task, Tokenizer tokenizer, TaskTokens tokens, int context) {
    private static final int LEAST_CONTEXT = 8;

    TaskEncoder {
        if (context < LEAST_CONTEXT) {
            throw new UserError("the model's context is " + context + ", too short for a task: it must be at least "
                    + LEAST_CONTEXT);
        }
    }

    /**
     * The examples of a file.
     *
     * @throws UserError if a target is not one that the head has, naming the line
     */
    List<TaskExample> encode(LabelledFile file, TaskHead head) {
        return file.rows().stream()
                .map(row -> encode(row, file.target(row, head)))
                .toList();
    }

    TaskExample encode(LabelledText row, double target) {
        int[][] texts = row.texts().stream().map(text -> tokenizer.encode(text)).toArray(int[][]::new);
        return switch (task) {
            case CLASSIFICATION, REGRESSION -> single(texts[0], target);
            case ENTAILMENT -> {
                int room = pairRoom(texts[0], texts[1]);
                int[] premise = beginning(texts[0], room);
                int[] hypothesis = beginning(texts[1], context - 3 - premise.length);
                yield example(target, isTooLong(texts[0], texts[1]), pair(premise, hypothesis));
            }
            case SIMILARITY -> {
                boolean swapped = texts[1].length > texts[0].length;
                int[] longer = texts[swapped ? 1 : 0];
                int[] shorter = texts[swapped ? 0 : 1];
                int room = pairRoom(longer, shorter);
                int[] cut = beginning(longer, room);
                int[] other = beginning(shorter, context - 3 - cut.length);
                int[] first = swapped ? other : cut;
                int[] second = swapped ? cut : other;
                yield example(target, isTooLong(longer, shorter), pair(first, second), pair(second, first));
            }
            case MULTIPLE_CHOICE -> {
                int[][] choices = Arrays.copyOfRange(texts, 1, texts.length);
                int[] longest = choices[0];
                for (int[] choice : choices) {
                    longest = choice.length > longest.length ? choice : longest;
                }
                // All choices follow the same question.
                int room = pairRoom(texts[0], longest);
                int[] question = end(texts[0], room);
                int[][] sequences = new int[choices.length][];
                for (int i = 0; i < choices.length; i++) {
                    sequences[i] = pair(question, beginning(choices[i], context - 3 - question.length));
                }
                yield example(target, isTooLong(texts[0], longest), sequences);
            }
        };
    }

    private TaskExample single(int[] text, double target) {
        int[] kept = beginning(text, context - 2);
        int[] sequence = new int[kept.length + 2];
        sequence[0] = tokens.start();
        System.arraycopy(kept, 0, sequence, 1, kept.length);
        sequence[sequence.length - 1] = tokens.extract();
        return example(target, kept.length < text.length, sequence);
    }

    private static TaskExample example(double target, boolean cut, int[]... sequences) {
        return new TaskExample(sequences, target, cut);
    }

    private int[] pair(int[] first, int[] second) {
        int[] sequence = new int[first.length + second.length + 3];
        sequence[0] = tokens.start();
        System.arraycopy(first, 0, sequence, 1, first.length);
        sequence[first.length + 1] = tokens.delimiter();
        System.arraycopy(second, 0, sequence, first.length + 2, second.length);
        sequence[sequence.length - 1] = tokens.extract();
        return sequence;
    }

    /** How many tokens of the first of two texts there is room for: what the second leaves, but at least a quarter of all. */
    private int pairRoom(int[] first, int[] second) {
        int room = context - 3;
        return Math.min(first.length, Math.max(room - second.length, room / 4));
    }

    private boolean isTooLong(int[] first, int[] second) {
        return first.length + second.length > context - 3;
    }

    private static int[] beginning(int[] text, int most) {
        return text.length <= most ? text : Arrays.copyOf(text, most);
    }

    private static int[] end(int[] text, int most) {
        return text.length <= most ? text : Arrays.copyOfRange(text, text.length - most, text.length);
    }
}
