package dev.weir.tokenizer;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Cuts text into the words that merges never cross: stages, each applied to the pieces of the one before. Any thread. */
record PreTokenizer(List<Stage> stages) {

    sealed interface Stage {}

    /** A cut by a pattern: what it matches and what lies between the matches are pieces, if kept. */
    record Split(Pattern pattern, boolean keepMatches, boolean keepGaps) implements Stage {}

    /** Puts a space before a piece that does not begin with one. */
    record PrefixSpace() implements Stage {}

    /** Hands every word of {@code text[start, end)} to the encoder, in order. */
    void words(String text, int start, int end, Bpe.Encoder encoder) {
        new Call(text, encoder).apply(0, start, end);
    }

    /** One text's way through the stages, with one matcher for each split. */
    private final class Call {
        private final String text;
        private final Bpe.Encoder encoder;
        private final @Nullable Matcher[] matchers = new @Nullable Matcher[stages.size()];

        Call(String text, Bpe.Encoder encoder) {
            this.text = text;
            this.encoder = encoder;
        }

        void apply(int stage, int start, int end) {
            if (start == end) {
                return;
            }
            if (stage == stages.size()) {
                encoder.word(text, start, end);
                return;
            }
            switch (stages.get(stage)) {
                case Split split -> split(stage, split, start, end);
                case PrefixSpace() -> {
                    if (text.charAt(start) == ' ') {
                        apply(stage + 1, start, end);
                    } else {
                        String spaced = " " + text.substring(start, end);
                        new Call(spaced, encoder).apply(stage + 1, 0, spaced.length());
                    }
                }
            }
        }

        private void split(int stage, Split split, int start, int end) {
            Matcher matcher = matchers[stage];
            if (matcher == null) {
                matcher = split.pattern.matcher(text);
                matchers[stage] = matcher;
            }
            matcher.region(start, end);
            int done = start;
            while (matcher.find()) {
                if (split.keepGaps) {
                    apply(stage + 1, done, matcher.start());
                }
                if (split.keepMatches) {
                    apply(stage + 1, matcher.start(), matcher.end());
                }
                done = matcher.end();
            }
            if (split.keepGaps) {
                apply(stage + 1, done, end);
            }
        }
    }
}
