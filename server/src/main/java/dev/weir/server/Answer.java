package dev.weir.server;

import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.ToolCall;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A whole answer. Immutable; any thread.
 *
 * @param calls the functions that it calls
 * @param logprobs of its tokens, if they were asked for
 * @param meanLogprob log-probability of its tokens on average, if the answers are to be ranked
 */
record Answer(String text, List<ToolCall> calls, List<TokenLogprob> logprobs, Reply.Ending ending, double meanLogprob) {
    Answer {
        calls = List.copyOf(calls);
        logprobs = List.copyOf(logprobs);
    }

    /** Of each {@code of} answers in turn the {@code n} most likely ones, the most likely first. */
    static List<Answer> best(List<Answer> answers, int n, int of) {
        if (n == of) {
            return answers;
        }
        List<Answer> best = new ArrayList<>();
        for (int first = 0; first < answers.size(); first += of) {
            answers.subList(first, first + of).stream()
                    .sorted(Comparator.comparingDouble(Answer::meanLogprob).reversed())
                    .limit(n)
                    .forEach(best::add);
        }
        return best;
    }
}
