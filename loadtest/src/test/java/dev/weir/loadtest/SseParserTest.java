package dev.weir.loadtest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SseParserTest {

    private final SseParser parser = new SseParser();
    private final List<String> events = new ArrayList<>();

    private void feed(byte[] bytes, int from, int to) {
        parser.accept(
                bytes,
                from,
                to - from,
                (data, offset, length) -> events.add(new String(data, offset, length, StandardCharsets.UTF_8)));
    }

    private List<String> parse(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        feed(bytes, 0, bytes.length);
        return events;
    }

    @Test
    void dataLinesBecomeEvents() {
        assertThat(parse("event: x\ndata: {\"a\":1}\n\ndata:two\n\n: comment\nid: 3\n\ndata: [DONE]\n\n"))
                .containsExactly("{\"a\":1}", "two", "[DONE]");
    }

    @Test
    void severalDataLinesAreJoined() {
        assertThat(parse("data: a\ndata\ndata:  b\n\n")).containsExactly("a\n\n b");
    }

    @Test
    void otherFieldsThatBeginLikeDataArePassedOver() {
        assertThat(parse("database: x\ndat: y\ndata: z\n\n")).containsExactly("z");
    }

    @Test
    void everyLineEndingIsUnderstood() {
        assertThat(parse("data: a\r\n\r\ndata: b\r\rdata: c\n\n")).containsExactly("a", "b", "c");
    }

    @Test
    void bytesMayBeCutAnywhere() {
        String text = ": hi\r\ndata: größer\r\n\r\nevent: e\ndata: 1\ndata: 2\n\ndata: " + "x".repeat(3000) + "\n\n";
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int cut = 1; cut < bytes.length; cut++) {
            events.clear();
            feed(bytes, 0, cut);
            feed(bytes, cut, bytes.length);
            assertThat(events).as("cut at %d", cut).containsExactly("größer", "1\n2", "x".repeat(3000));
        }
    }

    @Test
    void aHalfReadEventCanBeForgotten() {
        parse("data: old\nda");
        parser.reset();

        assertThat(parse("data: new\n\n")).containsExactly("new");
    }
}
