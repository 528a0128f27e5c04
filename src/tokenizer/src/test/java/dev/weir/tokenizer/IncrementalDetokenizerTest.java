package dev.weir.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IncrementalDetokenizerTest {
    @TempDir
    Path folder;

    private Tokenizer tokenizer;
    private int end;
    private int xaaby; // one token with a stop string inside

    @BeforeEach
    void load() throws IOException {
        TokenizerFiles files = TokenizerFiles.gpt2("a a", "aa b", "ð Ł", "Ļ Ĥ", "b c", "Ġ a", "Ł Ļ", "Ã ©");
        xaaby = files.word("xaaby");
        end = files.added("<|end|>", true);
        files.added("<tool>", false);
        tokenizer = files.load(folder);
    }

    @Test
    void charactersAppearOnlyWhenWhole() {
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of());

        assertThat(text.accept(0xF0)).isEmpty();
        assertThat(text.accept(0x9F)).isEmpty();
        assertThat(text.accept(0x99)).isEmpty();
        assertThat(text.accept(0x82)).isEqualTo("🙂");
        assertThat(text.accept('!')).isEqualTo("!");
        assertThat(text.finish()).isEmpty();
    }

    @Test
    void eachPartOfAnEmojiSequenceAppearsWhenWhole() {
        String family = "👩‍👩‍👧";
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of());
        List<String> deltas = new ArrayList<>();
        for (byte b : family.getBytes(StandardCharsets.UTF_8)) {
            String delta = text.accept(b & 0xFF);
            if (!delta.isEmpty()) {
                deltas.add(delta);
            }
        }

        assertThat(deltas).containsExactly("👩", "\u200d", "👩", "\u200d", "👧");
    }

    @Test
    void incompleteCharacterBecomesOneReplacementAtTheEnd() {
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of());

        assertThat(text.accept('a')).isEqualTo("a");
        assertThat(text.accept(0xF0) + text.accept(0x9F) + text.accept(0x99)).isEmpty();
        assertThat(text.finish()).isEqualTo("\ufffd");
        assertThat(text.finish()).isEmpty();
        assertThatThrownBy(() -> text.accept('a')).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void brokenCharacterIsReplacedAsSoonAsItIsKnownToBeBroken() {
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of());

        assertThat(text.accept(0xE2)).isEmpty();
        assertThat(text.accept('x')).isEqualTo("\ufffdx");
        assertThat(text.accept(0x80)).isEqualTo("\ufffd");
    }

    @Test
    void specialTokensAreSkippedUnlessAskedFor() {
        IncrementalDetokenizer hidden = new IncrementalDetokenizer(tokenizer, List.of());
        IncrementalDetokenizer shown = new IncrementalDetokenizer(tokenizer, List.of("end|>"), false, true);

        assertThat(hidden.accept('a') + hidden.accept(end) + hidden.accept('b')).isEqualTo("ab");
        assertThat(shown.accept('a') + shown.accept(end)).isEqualTo("a<|");
        assertThat(shown.matchedStop()).isEqualTo("end|>");
    }

    @Test
    void specialTokenWithinACharacterDoesNotBreakIt() {
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of());

        assertThat(text.accept(0xC3) + text.accept(end) + text.accept(0xA9)).isEqualTo("é");
    }

    @Test
    void stopStringOverlappingItselfIsFound() {
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of("aab"));

        assertThat(text.accept('a')).isEmpty();
        assertThat(text.accept('a')).isEmpty();
        assertThat(text.accept('a')).isEqualTo("a");
        assertThat(text.isStopped()).isFalse();
        assertThat(text.accept('b')).isEmpty();
        assertThat(text.isStopped()).isTrue();
        assertThat(text.matchedStop()).isEqualTo("aab");
        assertThat(text.accept('z')).isEmpty();
        assertThat(text.finish()).isEmpty();
    }

    @Test
    void textAfterAStopStringInOneTokenIsDropped() {
        IncrementalDetokenizer without = new IncrementalDetokenizer(tokenizer, List.of("aab"));
        IncrementalDetokenizer with = new IncrementalDetokenizer(tokenizer, List.of("aab"), true, false);

        assertThat(without.accept(xaaby)).isEqualTo("x");
        assertThat(with.accept(xaaby)).isEqualTo("xaab");
        assertThat(with.isStopped()).isTrue();
    }

    @Test
    void heldBackTextAppearsWhenItIsNoStopString() {
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of("\nUser:"));

        assertThat(text.accept('a') + text.accept('\n')).isEqualTo("a");
        assertThat(text.accept('U') + text.accept('s')).isEmpty();
        assertThat(text.accept('a')).isEqualTo("\nUsa");
        assertThat(text.accept('\n')).isEmpty();
        assertThat(text.finish()).isEqualTo("\n");
        assertThat(text.isStopped()).isFalse();
        assertThat(text.matchedStop()).isNull();
    }

    @Test
    void stopStringCompletedFirstWinsAndThenTheLonger() {
        IncrementalDetokenizer inner = new IncrementalDetokenizer(tokenizer, List.of("abcd", "bc"));
        IncrementalDetokenizer longer = new IncrementalDetokenizer(tokenizer, List.of("c", "abc", "bc"));

        assertThat(feed(inner, "xabcd")).isEqualTo("xa");
        assertThat(inner.matchedStop()).isEqualTo("bc");
        assertThat(feed(longer, "xabcd")).isEqualTo("x");
        assertThat(longer.matchedStop()).isEqualTo("abc");
    }

    @Test
    void stopStringOfBrokenBytesCanComeWithTheEnd() {
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of("\ufffd"));

        assertThat(text.accept('a') + text.accept(0xC3)).isEqualTo("a");
        assertThat(text.finish()).isEmpty();
        assertThat(text.isStopped()).isTrue();
    }

    @Test
    void refusesStopStringsThatCannotBeMeant() {
        assertThatThrownBy(() -> new IncrementalDetokenizer(tokenizer, List.of("a", "")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("stop[1]");
        assertThatThrownBy(() -> new IncrementalDetokenizer(tokenizer, List.of("\ude42")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("stop[0]");
    }

    @Test
    void deltasPutTogetherAreTheDecodedTextUpToTheFirstStopString() {
        long seed = Texts.seed();
        Random random = new Random(seed);
        int stopped = 0;
        for (int round = 0; round < 20_000; round++) {
            int[] ids = randomIds(random);
            boolean showSpecial = random.nextInt(4) == 0;
            boolean includeStop = random.nextBoolean();
            String whole = tokenizer.decode(ids, showSpecial);
            List<String> stops = randomStops(random, whole);
            Cut cut = cut(whole, stops, includeStop);

            IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, stops, includeStop, showSpecial);
            StringBuilder deltas = new StringBuilder();
            for (int id : ids) {
                String delta = text.accept(id);
                assertThat(!delta.isEmpty() && Character.isHighSurrogate(delta.charAt(delta.length() - 1)))
                        .as("half a character in a delta, tests.seed=%d round %d", seed, round)
                        .isFalse();
                deltas.append(delta);
                assertThat(cut.text).as("tests.seed=%d round %d", seed, round).startsWith(deltas.toString());
            }
            deltas.append(text.finish());

            assertThat(deltas.toString())
                    .as("tests.seed=%d round %d stops %s", seed, round, stops)
                    .isEqualTo(cut.text);
            assertThat(text.matchedStop())
                    .as("tests.seed=%d round %d", seed, round)
                    .isEqualTo(cut.stop);
            stopped += cut.stop == null ? 0 : 1;
        }
        assertThat(stopped).isBetween(2_000, 18_000);
    }

    private record Cut(String text, @Nullable String stop) {}

    /** The plain search that the streaming one must equal: at every place of the text, every stop string, longest first. */
    private static Cut cut(String text, List<String> stops, boolean includeStop) {
        List<String> longestFirst =
                stops.stream().sorted((a, b) -> b.length() - a.length()).toList();
        for (int place = 1; place <= text.length(); place++) {
            for (String stop : longestFirst) {
                if (text.substring(0, place).endsWith(stop)) {
                    return new Cut(text.substring(0, includeStop ? place : place - stop.length()), stop);
                }
            }
        }
        return new Cut(text, null);
    }

    private int[] randomIds(Random random) {
        int[] ids = new int[random.nextInt(24)];
        int kind = random.nextInt(3);
        for (int i = 0; i < ids.length; i++) {
            ids[i] = switch (kind) {
                case 0 -> random.nextInt(tokenizer.vocabularySize() + 3); // mostly no UTF-8
                case 1 -> "aab bc".charAt(random.nextInt(6));
                default -> random.nextInt(5) == 0 ? 256 + random.nextInt(8) : "ab c".charAt(random.nextInt(4));
            };
        }
        return random.nextInt(4) > 0 ? ids : tokenizer.encode(Texts.random(random, 8));
    }

    private static List<String> randomStops(Random random, String text) {
        List<String> stops = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            if (random.nextBoolean() && text.length() > 1) {
                int start = text.offsetByCodePoints(0, random.nextInt(text.codePointCount(0, text.length())));
                int length = Math.min(1 + random.nextInt(4), text.codePointCount(start, text.length()));
                stops.add(text.substring(start, text.offsetByCodePoints(start, length)));
            } else {
                stops.add(List.of("aab", "aa", "aaab", "abab", "bca", "🙂x", "🙃", "é\ufffd", "b b")
                        .get(random.nextInt(9)));
            }
        }
        return stops;
    }

    @Test
    void aLongTextHeldBackAtEveryTokenStaysLinear() {
        String stop = "a".repeat(50_000) + "b";
        IncrementalDetokenizer text = new IncrementalDetokenizer(tokenizer, List.of(stop));

        assertTimeoutPreemptively(Duration.ofSeconds(30), () -> {
            int shown = 0;
            for (int i = 0; i < 2_000_000; i++) {
                shown += text.accept('a').length();
            }
            assertThat(shown).isEqualTo(2_000_000 - 50_000);
            assertThat(text.finish()).hasSize(50_000);
        });
    }

    private static String feed(IncrementalDetokenizer text, String ascii) {
        StringBuilder deltas = new StringBuilder();
        ascii.chars().forEach(c -> deltas.append(text.accept(c)));
        return deltas.toString();
    }
}
