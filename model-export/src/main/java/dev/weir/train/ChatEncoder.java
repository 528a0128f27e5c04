package dev.weir.train;

import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Writes conversations with a chat template and finds what the assistant says in them. Immutable; any thread.
 *
 * <p>What stands before an answer are the very tokens that the server puts before the model for the messages so far, and the
 * answer is what the template adds to them when it is there, up to the token that ends it.
 */
final class ChatEncoder {
    private final ChatTemplate template;
    private final Tokenizer tokenizer;
    private final int mostTokens;

    /**
     * An encoder for a model.
     *
     * @param context most tokens that go through the model; the last token of a conversation is only predicted
     */
    ChatEncoder(ChatTemplate template, Tokenizer tokenizer, int context) {
        this.template = template;
        this.tokenizer = tokenizer;
        mostTokens = context + 1;
    }

    /**
     * The tokens of a conversation; one that is too long ends with the last answer that fits.
     *
     * @return empty if not even the first answer fits
     * @throws IllegalArgumentException if the template refuses the conversation, or writes an answer otherwise than it opens one
     */
    Optional<ChatExample> encode(ChatConversation conversation) {
        List<ChatTemplate.Message> messages = conversation.messages();
        int[] ids = {};
        IntStream.Builder places = IntStream.builder();
        for (int i = 0; i < messages.size(); i++) {
            if (!messages.get(i).role().equals(ChatConversation.ASSISTANT)) {
                continue;
            }
            int[] asked = tokens(conversation, i, true);
            int[] answered = tokens(conversation, i + 1, false);
            if (answered.length == asked.length || !startsWith(answered, asked)) {
                throw new IllegalArgumentException("the chat template opens an answer with other tokens than those "
                        + "that it writes before messages[" + i + "], so the model could not learn to give it");
            }
            if (!startsWith(asked, ids)) {
                throw new IllegalArgumentException("the chat template writes the messages before messages[" + i
                        + "] otherwise than when they were answered");
            }
            int end = end(answered, asked.length);
            if (end > mostTokens) {
                break;
            }
            for (int place = asked.length - 1; place < end - 1; place++) {
                places.add(place);
            }
            ids = Arrays.copyOf(answered, end);
        }
        return ids.length < 2
                ? Optional.empty()
                : Optional.of(new ChatExample(ids, places.build().toArray()));
    }

    private static boolean startsWith(int[] ids, int[] start) {
        return start.length <= ids.length && Arrays.equals(ids, 0, start.length, start, 0, start.length);
    }

    private int[] tokens(ChatConversation conversation, int messages, boolean opensAnswer) {
        return tokenizer.encode(
                template.render(conversation.messages().subList(0, messages), conversation.tools(), opensAnswer));
    }

    /** Where an answer ends: after the token that ends texts, or with the last token where the template writes none. */
    private int end(int[] ids, int start) {
        OptionalInt eos = tokenizer.eosId();
        for (int i = start; eos.isPresent() && i < ids.length; i++) {
            if (ids[i] == eos.getAsInt()) {
                return i + 1;
            }
        }
        return ids.length;
    }
}
