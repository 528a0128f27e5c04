package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.grammar.CallForm;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.FunctionTool;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Tools;
import dev.weir.protocol.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AnswerParserTest {
    private static final CallForm FORM = new CallForm("<tool_call>\n", "\n", "\n</tool_call>");
    private static final Tools TOOLS = tools(true);
    private static final String CALL =
            "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}</tool_call>\"}}\n</tool_call>";
    private static final String[] PIECES = {
        CALL,
        CALL,
        "<tool_call>",
        "</tool_call>",
        "<tool",
        "{\"name\": \"f\", \"arguments\": ",
        "{}",
        "}",
        " \n",
        "So ",
        "\uD83D\uDE00",
        "<"
    };

    private static Tools tools(boolean several) {
        return new Tools(List.of(new FunctionTool("f", null, null, false, null)), Tools.Choice.AUTO, null, several);
    }

    /** What comes of an answer: text as it is, a call as {@code [name arguments]}. */
    private static final class Recorded implements Reply {
        final StringBuilder all = new StringBuilder();
        final List<TokenLogprob> logprobs = new ArrayList<>();

        @Override
        public void text(int choice, String delta, List<TokenLogprob> more) {
            all.append(delta);
            logprobs.addAll(more);
        }

        @Override
        public void callBegun(int choice, String id, String name) {
            assertThat(id).matches("call_[0-9a-f]{24}");
            all.append('[').append(name).append(' ');
        }

        @Override
        public void callArguments(int choice, String delta) {
            all.append(delta);
        }

        @Override
        public void callEnded(int choice) {
            all.append(']');
        }

        @Override
        public void accepted(List<PreparedPrompt> prompts) {}

        @Override
        public void choiceEnded(int choice, Ending ending, double meanLogprob) {}

        @Override
        public void ended(Usage usage) {}

        @Override
        public void refused(ApiError error, long retryAfterSeconds) {}

        @Override
        public void failed(ApiError error) {}

        @Override
        public boolean isFull() {
            return false;
        }
    }

    private static String parse(Tools tools, boolean areSure, String... deltas) {
        Recorded reply = new Recorded();
        AnswerParser parser = new AnswerParser(FORM, tools, areSure, reply, 0);
        for (String delta : deltas) {
            parser.accept(delta, List.of());
        }
        parser.finish();
        return reply.all.toString();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', ignoreLeadingAndTrailingWhitespace = true, textBlock = """
            `Hello, <tool>. `                                                          | `Hello, <tool>. `
            `<tool_call>{"name":"f","arguments":{}}</tool_call>`                       | `[f {}]`
            `Let me see. <tool_call> {"arguments": {"a":[1]}, "name":"f"} </tool_call> ` | `Let me see.[f {"a":[1]}]`
            `<tool_call>{"name":"f","arguments":{}}`                                   | `[f {}]`
            `<tool_call>{"name":"f","arguments":{}}</tool`                             | `[f {}]`
            `<tool_call>{"name":"f","arguments":{}} So`                                | `[f {}] So`
            `<tool_call>{"name":"f","arguments":{}}</tool_call> So`                    | `[f {}] So`
            `a <tool_call>{"name":"g","arguments":{}}</tool_call>`                     | `a <tool_call>{"name":"g","arguments":{}}</tool_call>`
            `<tool_call>{"name":"f","arguments":{"a":}}</tool_call>`                   | `<tool_call>{"name":"f","arguments":{"a":}}</tool_call>`
            `<tool_call>{"name":"f","arguments":"{}"}</tool_call>`                     | `<tool_call>{"name":"f","arguments":"{}"}</tool_call>`
            `<tool_call>{"a":<tool_call>{"name":"f","arguments":{}}</tool_call>`        | `<tool_call>{"a":<tool_call>{"name":"f","arguments":{}}</tool_call>`
            `<tool_call>{a}<tool_call>{"name":"f","arguments":{}}</tool_call>`         | `<tool_call>{a}[f {}]`
            `<tool_call>f()</tool_call>`                                               | `<tool_call>f()</tool_call>`
            `<tool_call>{"name":"f","argum`                                            | `<tool_call>{"name":"f","argum`
            `x <tool_call>`                                                            | `x <tool_call>`
            `x <tool_ca`                                                               | `x <tool_ca`
            `<tool_call><tool_call>{"name":"f","arguments":{}}</tool_call>`            | `<tool_call>[f {}]`
            `<tool_call>{"name":"f","arguments":{}}</tool_call><tool_call>{"name":"f","arguments":{"a":1}}</tool_call>` | `[f {}][f {"a":1}]`
            """)
    void callsAreToldFromText(String text, String expected) {
        assertThat(parse(TOOLS, false, text)).isEqualTo(expected);
    }

    @Test
    void howTheTextIsCutMakesNoDifference() {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 2_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(8); n > 0; n--) {
                text.append(PIECES[random.nextInt(PIECES.length)]);
            }
            List<String> deltas = new ArrayList<>();
            for (int at = 0; at < text.length(); ) {
                int end = Math.min(text.length(), at + 1 + random.nextInt(6));
                deltas.add(text.substring(at, end));
                at = end;
            }
            Tools tools = tools(random.nextBoolean());
            assertThat(parse(tools, false, deltas.toArray(new String[0])))
                    .as("-Dtests.seed=%d, %s", seed, deltas)
                    .isEqualTo(parse(tools, false, text.toString()));
        }
    }

    @Test
    void textWithoutTheMarkerComesOutAsItWent() {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 1_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(12); n > 0; n--) {
                text.append("<tol_ca> \n{}".charAt(random.nextInt(12)));
            }
            assertThat(parse(TOOLS, false, text.toString().split("(?<=.)", -1))).isEqualTo(text.toString());
        }
    }

    @Test
    void argumentsOfCallsThatAreSureGoOutAsTheyCome() {
        Recorded reply = new Recorded();
        AnswerParser parser = new AnswerParser(FORM, TOOLS, true, reply, 0);
        StringBuilder seen = new StringBuilder();
        for (String delta : CALL.split("(?<=.)", -1)) {
            parser.accept(delta, List.of());
            if (!seen.toString().endsWith(reply.all + "|")) {
                seen.append(reply.all).append('|');
            }
        }
        parser.finish();
        assertThat(seen.toString()).startsWith("|[f {|[f {\"|[f {\"a|[f {\"a\"|");
        assertThat(reply.all.toString()).isEqualTo("[f {\"a\": \"}</tool_call>\"}]");
        assertThat(parse(TOOLS, true, "x " + CALL + "\n" + CALL + " y"))
                .isEqualTo("x[f {\"a\": \"}</tool_call>\"}][f {\"a\": \"}</tool_call>\"}] y");
        String tight = CALL.replace("\n", "");
        assertThat(parse(TOOLS, true, tight + tight))
                .isEqualTo("[f {\"a\": \"}</tool_call>\"}][f {\"a\": \"}</tool_call>\"}]");
        assertThat(parse(TOOLS, true, CALL.substring(0, 45)))
                .as("cut by the limit of length")
                .isEqualTo("[f {\"a\": ");
    }

    @Test
    void oneCallIsAllIfOnlyOneIsAllowed() {
        assertThat(parse(tools(false), false, "x ", CALL, " ", CALL, " y"))
                .isEqualTo("x[f {\"a\": \"}</tool_call>\"}]");
    }

    @Test
    void logprobsGoWithTheTextOfTheirTokensAndThoseOfCallsAreNotTold() {
        String text = "\uD83D\uDE00 <tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call> <b";
        Recorded reply = new Recorded();
        AnswerParser parser = new AnswerParser(FORM, TOOLS, false, reply, 0);
        int offset = 0;
        for (int codePoint : text.codePoints().toArray()) {
            String token = Character.toString(codePoint);
            parser.accept(token, List.of(new TokenLogprob(token, -1, List.of(), offset++, List.of())));
        }
        parser.finish();
        assertThat(reply.all.toString()).isEqualTo("\uD83D\uDE00[f {}] <b");
        assertThat(reply.logprobs).extracting(TokenLogprob::token).containsExactly("\uD83D\uDE00", " ", "<", "b");
    }
}
