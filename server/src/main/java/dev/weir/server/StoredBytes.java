package dev.weir.server;

import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ConversationItem;
import dev.weir.protocol.ConversationJson;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.ProtocolException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Stored responses, their events and conversations as bytes: lines of JSON, compressed by gzip. A response is three lines: itself,
 * the conversation before its input, its input; the events are a line each. A conversation is itself and a line for each item. Any
 * thread.
 */
final class StoredBytes {
    private static final String NEW_LINE = "\n";

    private StoredBytes() {}

    static byte[] of(StoredResponse stored) {
        return compress(List.of(
                EventWriter.response(stored.response()),
                ConversationJson.write(stored.before()),
                ConversationJson.write(stored.input())));
    }

    static byte[] of(StoredConversation stored) {
        List<String> lines = new ArrayList<>();
        lines.add(ConversationJson.write(stored.conversation()));
        stored.items().forEach(item -> lines.add(ConversationJson.write(item)));
        return compress(lines);
    }

    static byte[] of(StoredEvents events) {
        return compress(events.events());
    }

    /** Reads a response; its tenant is stored beside it. */
    static StoredResponse response(String tenant, byte[] bytes) {
        List<String> lines = lines(bytes);
        try {
            List<ChatMessage> before = ConversationJson.readMessages(lines.get(1));
            List<ChatMessage> input = ConversationJson.readMessages(lines.get(2));
            return new StoredResponse(EventReader.response(lines.get(0)), tenant, before, input);
        } catch (ProtocolException e) {
            throw new IllegalStateException("a stored response cannot be read", e);
        }
    }

    /** Reads a conversation; its tenant is stored beside it. */
    static StoredConversation conversation(String tenant, byte[] bytes) {
        List<String> lines = lines(bytes);
        try {
            List<ConversationItem> items = new ArrayList<>();
            for (String line : lines.subList(1, lines.size())) {
                items.add(ConversationJson.readItem(line));
            }
            return new StoredConversation(ConversationJson.readConversation(lines.getFirst()), tenant, items);
        } catch (ProtocolException e) {
            throw new IllegalStateException("a stored conversation cannot be read", e);
        }
    }

    /** Reads events; the number of the first one is stored beside them. */
    static StoredEvents events(int first, byte[] bytes) {
        return new StoredEvents(first, lines(bytes));
    }

    private static byte[] compress(List<String> lines) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(String.join(NEW_LINE, lines).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e); // there is none in memory
        }
        return bytes.toByteArray();
    }

    private static List<String> lines(byte[] bytes) {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
            return List.of(new String(in.readAllBytes(), StandardCharsets.UTF_8).split(NEW_LINE, -1));
        } catch (IOException e) {
            throw new UncheckedIOException("what is stored was not written by Weir, or is damaged", e);
        }
    }
}
