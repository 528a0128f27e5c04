package dev.weir.server;

import dev.weir.grammar.CallForm;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.ToolCall;
import dev.weir.protocol.Tools;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes an answer's text apart, as it comes, into what is said and the functions that are called. Owned by the context of its
 * turn. Where the text is cut into deltas makes no difference to what comes of it.
 *
 * <p>Held back is what may be the beginning of a call's marker, with the white space before it, which belongs to neither. The
 * arguments of a call that is sure to be whole, or cut by the limit of length alone, go out as they come; any other call is held
 * back to its end, and if it is not one of a declared function, it is text like any other. Log-probabilities of a call's tokens are not told.
 */
final class AnswerParser {
    private static final Pattern HEAD =
            Pattern.compile("\\s*\\{\"name\": ?\"([a-zA-Z0-9_-]+)\", ?\"arguments\": ?(?=\\{)");

    private enum State {
        TEXT,
        /** Behind a marker. */
        CALL,
        /** Within the arguments of a call that is sure to be whole. */
        ARGUMENTS,
        /** Behind a call, before what closes it. */
        CLOSE,
        /** Behind the only call that is allowed. */
        OVER
    }

    private final String marker;
    private final String close;
    private final Tools tools;
    private final boolean areSure;
    private final Reply reply;
    private final int choice;

    private State state = State.TEXT;
    private final StringBuilder pending = new StringBuilder();
    private final Deque<TokenLogprob> logprobs = new ArrayDeque<>();
    private int passed; // code points of the text before the pending ones
    private int body; // characters of the pending ones up to and with the marker
    private int scanned; // characters of the pending ones that the extent has seen
    private JsonExtent extent = new JsonExtent();
    private boolean hasCalls;

    /**
     * A parser of one answer.
     *
     * @param areSure whether calls are held to their form, and nothing but the limit of length can cut them
     */
    AnswerParser(CallForm form, Tools tools, boolean areSure, Reply reply, int choice) {
        marker = form.marker();
        close = (areSure ? "}" : "") + form.close().strip();
        this.tools = tools;
        this.areSure = areSure;
        this.reply = reply;
        this.choice = choice;
    }

    /** Takes more text, with the log-probabilities of its tokens if they were asked for. */
    void accept(String delta, List<TokenLogprob> more) {
        pending.append(delta);
        logprobs.addAll(more);
        advance();
    }

    /** Hands on what was held back: no text will follow. */
    void finish() {
        boolean isGap = hasCalls && pending.toString().isBlank();
        if (state == State.CALL || (state == State.TEXT && !isGap)) {
            say(pending.length());
        }
        if (!hasCalls && !logprobs.isEmpty()) {
            reply.text(choice, "", List.copyOf(logprobs));
        }
    }

    private void advance() {
        boolean goesOn = true;
        while (goesOn) {
            goesOn = switch (state) {
                case TEXT -> text();
                case CALL -> areSure ? head() : call();
                case ARGUMENTS -> arguments();
                case CLOSE -> close();
                case OVER -> {
                    drop(pending.length());
                    yield false;
                }
            };
        }
    }

    private boolean text() {
        int at = pending.indexOf(marker);
        if (at < 0) {
            say(withoutGap(pending.length() - begunMarker()));
            return false;
        }
        say(withoutGap(at));
        body = pending.indexOf(marker) + marker.length();
        scanned = body;
        extent = new JsonExtent();
        state = State.CALL;
        return true;
    }

    /** Characters of the longest beginning of the marker with which the text ends. */
    private int begunMarker() {
        int length = Math.min(marker.length() - 1, pending.length());
        while (!marker.startsWith(pending.substring(pending.length() - length))) {
            length--;
        }
        return length;
    }

    /** The end of the text before the white space that stands before a place. */
    private int withoutGap(int end) {
        int at = end;
        while (at > 0 && Character.isWhitespace(pending.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    /** Looks for all that stands before the arguments. */
    private boolean head() {
        Matcher head = HEAD.matcher(pending).region(body, pending.length());
        if (!head.lookingAt()) {
            return false;
        }
        hasCalls = true;
        reply.callBegun(choice, Ids.next("call_"), head.group(1));
        drop(head.end());
        state = State.ARGUMENTS;
        return true;
    }

    private boolean arguments() {
        int end = 0;
        boolean isWhole = false;
        while (end < pending.length() && !isWhole) {
            isWhole = extent.endsWith(pending.charAt(end++));
        }
        if (end > 0) {
            reply.callArguments(choice, pending.substring(0, end));
            drop(end);
        }
        if (isWhole) {
            reply.callEnded(choice);
            state = State.CLOSE;
        }
        return isWhole;
    }

    /** Looks for the end of a call. */
    private boolean call() {
        int begin = body;
        while (begin < pending.length() && Character.isWhitespace(pending.charAt(begin))) {
            begin++;
        }
        if (begin == pending.length()) {
            return false;
        }
        if (pending.charAt(begin) != '{') {
            breakCall();
            return true;
        }
        scanned = Math.max(scanned, begin);
        while (scanned < pending.length()) {
            if (extent.endsWith(pending.charAt(scanned++))) {
                Optional<ToolCall> call = ToolCall.read(Ids.next("call_"), pending.substring(begin, scanned))
                        .filter(read -> tools.allow(read.name()));
                call.ifPresentOrElse(this::call, this::breakCall);
                return true;
            }
        }
        return false;
    }

    private void call(ToolCall call) {
        hasCalls = true;
        reply.callBegun(choice, call.id(), call.name());
        reply.callArguments(choice, call.arguments());
        reply.callEnded(choice);
        drop(scanned);
        state = State.CLOSE;
    }

    /** The marker was no marker. What was looked at is not looked at again, so that time stays linear in the text's length. */
    private void breakCall() {
        say(scanned);
        state = State.TEXT;
    }

    /** Passes over what closes a call, with white space anywhere; if something else stands there, it is text. */
    private boolean close() {
        int matched = 0;
        for (int i = 0; i < pending.length(); i++) {
            char next = pending.charAt(i);
            if (Character.isWhitespace(next)) {
                continue;
            }
            if (next != close.charAt(matched)) {
                state = tools.allowSeveral() ? State.TEXT : State.OVER;
                return true;
            }
            matched++;
            if (matched == close.length()) {
                drop(i + 1);
                state = tools.allowSeveral() ? State.TEXT : State.OVER;
                return true;
            }
        }
        return false;
    }

    private void say(int length) {
        if (length > 0) {
            String delta = pending.substring(0, length);
            reply.text(choice, delta, pass(length));
        }
    }

    private void drop(int length) {
        var _ = pass(length);
    }

    /** Goes on by so many characters, and gives the log-probabilities of the tokens that begin in them. */
    private List<TokenLogprob> pass(int length) {
        passed += pending.codePointCount(0, length);
        pending.delete(0, length);
        List<TokenLogprob> told = new ArrayList<>();
        while (!logprobs.isEmpty() && logprobs.getFirst().textOffset() < passed) {
            told.add(logprobs.removeFirst());
        }
        return told;
    }
}
