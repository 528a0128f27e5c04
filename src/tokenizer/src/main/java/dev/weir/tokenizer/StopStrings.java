package dev.weir.tokenizer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks for the first of several stop strings in text that comes character by character. Owned by one thread.
 *
 * <p>Each stop string keeps the length of its longest beginning that the text ends with, by the failure function of Knuth,
 * Morris and Pratt (1977): a character costs constant time per stop string, amortised, wherever tokens are cut. The largest
 * of these lengths is how much of the text cannot be shown yet.
 */
final class StopStrings {
    private final List<String> stops;
    private final int[][] failures; // per stop string: for each of its beginnings, the longest other one it ends with
    private final int[] lengths; // per stop string: characters of it that the text ends with

    StopStrings(List<String> stops) {
        this.stops = List.copyOf(stops);
        failures = new int[stops.size()][];
        lengths = new int[stops.size()];
        for (int i = 0; i < failures.length; i++) {
            String stop = stops.get(i);
            if (stop.isEmpty()) {
                throw new IllegalArgumentException(
                        "stop[" + i + "] is empty, which would stop before the first character");
            }
            if (Character.isLowSurrogate(stop.charAt(0)) || Character.isHighSurrogate(stop.charAt(stop.length() - 1))) {
                throw new IllegalArgumentException(
                        "stop[" + i + "] begins or ends with half of a character (a lone surrogate)");
            }
            failures[i] = failures(stop);
        }
    }

    private static int[] failures(String stop) {
        int[] failures = new int[stop.length()];
        int length = 0;
        for (int i = 1; i < failures.length; i++) {
            while (length > 0 && stop.charAt(i) != stop.charAt(length)) {
                length = failures[length - 1];
            }
            if (stop.charAt(i) == stop.charAt(length)) {
                length++;
            }
            failures[i] = length;
        }
        return failures;
    }

    /** Takes the next character and gives the stop string that it completes, the longest if there are several, or null. */
    @Nullable
    String accept(char next) {
        String matched = null;
        for (int i = 0; i < lengths.length; i++) {
            String stop = stops.get(i);
            int length = lengths[i];
            while (length > 0 && stop.charAt(length) != next) {
                length = failures[i][length - 1];
            }
            if (stop.charAt(length) == next) {
                length++;
            }
            if (length == stop.length()) {
                if (matched == null || stop.length() > matched.length()) {
                    matched = stop;
                }
                length = failures[i][length - 1];
            }
            lengths[i] = length;
        }
        return matched;
    }

    /** How many of the last characters could be the beginning of a stop string. */
    int held() {
        int held = 0;
        for (int length : lengths) {
            held = Math.max(held, length);
        }
        return held;
    }
}
