package dev.weir.server;

import dev.weir.protocol.ChatCompletionRequest;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.CompletionRequest;
import dev.weir.protocol.FunctionTool;
import dev.weir.protocol.Prompt;
import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.Tools;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request of any of the three APIs, reduced to what the model needs. Immutable; any thread.
 *
 * @param id what the reply is called, such as {@code resp_...}
 * @param model the model that it names; may be null
 * @param prompts what to continue, each by itself
 * @param sampling the sampling fields as sent
 * @param limit what the length limit means
 * @param n answers to each prompt
 * @param bestOf answers that are generated for each prompt, of which the {@code n} most likely are given
 * @param echo whether each answer begins with its prompt
 */
record Ask(
        String id,
        @Nullable String model,
        List<Source> prompts,
        SamplingFields sampling,
        LengthLimit limit,
        int n,
        int bestOf,
        boolean echo) {
    /** What to continue. */
    sealed interface Source {
        /** The request's field that holds it, named in errors. */
        String field();

        /** Characters or tokens to encode, as a measure of how long that takes. */
        int size();

        /** Text, taken as it is. */
        record Text(String text, String field) implements Source {
            @Override
            public int size() {
                return text.length();
            }
        }

        /** Token ids. */
        @SuppressWarnings("ArrayRecordComponent") // read once, never compared
        record Tokens(int[] ids, String field) implements Source {
            @Override
            public int size() {
                return ids.length;
            }
        }

        /** A conversation for the chat template, with the functions that may be called; {@code field} is the one that held it. */
        record Conversation(List<ChatMessage> messages, Tools tools, String field) implements Source {
            @Override
            public int size() {
                int size = 0;
                for (FunctionTool function : tools.functions()) {
                    size += function.length();
                }
                for (ChatMessage message : messages) {
                    size += message.length();
                }
                return size;
            }
        }
    }

    /** What the length limit of an API means. */
    enum LengthLimit {
        /** 16 tokens unless sent; a limit beyond the context is refused. */
        COMPLETION,
        /** What the context leaves unless sent; a limit beyond the context is refused. */
        CHAT,
        /** What the context leaves unless sent; a limit beyond the context is only an upper bound. */
        RESPONSE,
        /** Nothing is to be written; the one token that comes with a prompt is thrown away. */
        NOTHING
    }

    static Ask of(CompletionRequest request) {
        List<Source> prompts = new ArrayList<>();
        boolean isOne = request.prompts().size() == 1;
        for (Prompt prompt : request.prompts()) {
            String field = isOne ? "prompt" : "prompt[" + prompts.size() + "]";
            prompts.add(
                    switch (prompt) {
                        case Prompt.Text(String text) -> new Source.Text(text, field);
                        case Prompt.Tokens(int[] ids) -> new Source.Tokens(ids, field);
                    });
        }
        return new Ask(
                Ids.next("cmpl-"),
                request.model(),
                prompts,
                request.sampling(),
                LengthLimit.COMPLETION,
                request.n(),
                request.bestOf(),
                request.echo());
    }

    static Ask of(ChatCompletionRequest request) {
        return of(
                Ids.next("chatcmpl-"),
                request.model(),
                new Source.Conversation(request.messages(), request.tools(), "messages"),
                request.sampling(),
                LengthLimit.CHAT,
                request.n());
    }

    /** What a response asks for; {@code id} is its name, {@code before} the conversation that it goes on with. */
    static Ask of(String id, ResponseRequest request, List<ChatMessage> before) {
        return of(
                id,
                request.model(),
                new Source.Conversation(request.messages(before), request.tools(), "input"),
                request.sampling(),
                request.generate() ? LengthLimit.RESPONSE : LengthLimit.NOTHING,
                1);
    }

    private static Ask of(
            String id, @Nullable String model, Source conversation, SamplingFields sampling, LengthLimit limit, int n) {
        return new Ask(id, model, List.of(conversation), sampling, limit, n, n, false);
    }

    /** Sequences that the engine generates for it. */
    int sequences() {
        return prompts.size() * bestOf;
    }

    /** Characters or tokens to encode. */
    int size() {
        return prompts.stream().mapToInt(Source::size).sum();
    }

    /** The functions that may be called. */
    Tools tools() {
        return prompts.getFirst() instanceof Source.Conversation conversation ? conversation.tools() : Tools.NONE;
    }

    /** Whether the answers are held to a form. */
    boolean isConstrained() {
        return sampling.format() != null || tools().areHeld();
    }

    /** Whether the answers have to be told apart by how likely they are. */
    boolean isRanked() {
        return bestOf > n;
    }
}
