package dev.weir.train;

import dev.weir.tokenizer.ByteLevel;
import dev.weir.tokenizer.Tokenizer;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Says whether a text may be cut at a place: whether its two sides, each for itself, give what they give together. Asked with
 * no more than the neighbourhood of the place, since no tokenizer looks further than that past the end of a word.
 */
@FunctionalInterface
interface Seam {
    boolean holds(String left, String right);

    /** For the words that a vocabulary is trained on. */
    static Seam ofWords() {
        return (left, right) -> words(left + right)
                .equals(Stream.of(words(left), words(right))
                        .flatMap(List::stream)
                        .toList());
    }

    private static List<String> words(String text) {
        return ByteLevel.gpt2Words()
                .matcher(text)
                .results()
                .map(MatchResult::group)
                .toList();
    }

    /** For a tokenizer's ids, whatever its words are. */
    static Seam of(Tokenizer tokenizer) {
        return (left, right) -> IntStream.of(tokenizer.encode(left + right, true))
                .boxed()
                .toList()
                .equals(Stream.of(left, right)
                        .flatMapToInt(side -> IntStream.of(tokenizer.encode(side, true)))
                        .boxed()
                        .toList());
    }
}
