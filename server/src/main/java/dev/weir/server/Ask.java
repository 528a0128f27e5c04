package dev.weir.server;

import dev.weir.protocol.ChatCompletionRequest;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.CompletionRequest;
import dev.weir.protocol.Prompt;
import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.SamplingFields;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A request of any of the three APIs, reduced to what the model needs. Immutable; any thread.
 *
 * @param id what the reply is called, such as {@code resp_...}
 * @param model the model that it names; may be null
 * @param source what to continue
 * @param sampling the sampling fields as sent
 * @param limit what the length limit means
 */
record Ask(String id, @Nullable String model, Source source, SamplingFields sampling, LengthLimit limit) {
    /** What to continue. */
    sealed interface Source {
        /** The request's field that holds it, named in errors. */
        String field();

        /** Characters or tokens to encode, as a measure of how long that takes. */
        int size();

        /** Text, taken as it is. */
        record Text(String text) implements Source {
            @Override
            public String field() {
                return "prompt";
            }

            @Override
            public int size() {
                return text.length();
            }
        }

        /** Token ids. */
        @SuppressWarnings("ArrayRecordComponent") // read once, never compared
        record Tokens(int[] ids) implements Source {
            @Override
            public String field() {
                return "prompt";
            }

            @Override
            public int size() {
                return ids.length;
            }
        }

        /** A conversation for the chat template; {@code field} is the one that held it. */
        record Conversation(List<ChatMessage> messages, String field) implements Source {
            @Override
            public int size() {
                return messages.stream()
                        .mapToInt(message -> message.content().length())
                        .sum();
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
        RESPONSE
    }

    static Ask of(CompletionRequest request) {
        Source source = switch (request.prompt()) {
            case Prompt.Text(String text) -> new Source.Text(text);
            case Prompt.Tokens(int[] ids) -> new Source.Tokens(ids);
        };
        return new Ask(Ids.next("cmpl-"), request.model(), source, request.sampling(), LengthLimit.COMPLETION);
    }

    static Ask of(ChatCompletionRequest request) {
        Source source = new Source.Conversation(request.messages(), "messages");
        return new Ask(Ids.next("chatcmpl-"), request.model(), source, request.sampling(), LengthLimit.CHAT);
    }

    static Ask of(ResponseRequest request) {
        Source source = new Source.Conversation(request.messages(), "input");
        return new Ask(Ids.next("resp_"), request.model(), source, request.sampling(), LengthLimit.RESPONSE);
    }
}
