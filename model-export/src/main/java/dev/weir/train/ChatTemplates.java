package dev.weir.train;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** The chat templates that Weir brings. Static functions; any thread. */
final class ChatTemplates {
    /** What begins a turn of each speaker in {@link #own()}. */
    static final List<String> CONTROL_TOKENS = List.of("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>");

    private ChatTemplates() {}

    /** The template of models that are taught to chat. */
    static String own() {
        return resource("chat.jinja");
    }

    /** The template of a model that was not trained on conversations: the conversation is one text, which it continues. */
    static String continuing() {
        return resource("continue.jinja");
    }

    private static String resource(String name) {
        try (InputStream resource = ChatTemplates.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(resource).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read a resource of this program", e);
        }
    }
}
