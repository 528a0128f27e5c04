package dev.weir.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

/**
 * Whatever bytes come as a body or a message, they are read or refused with an error that can be sent. The build tries what is
 * in the resources; to look for more, guided by coverage: {@code JAZZER_FUZZ=1 ./mvnw -pl src/protocol test
 * -Dtest=RequestFuzzTest}, which goes on until it finds something or for as long as the annotation says.
 */
class RequestFuzzTest {
    private static final List<Consumer<String>> READERS = List.of(
            RequestReader::completion,
            RequestReader::chatCompletion,
            RequestReader::response,
            RequestReader::clientEvent,
            RequestReader::tokenize,
            RequestReader::detokenize);

    @FuzzTest(maxDuration = "5m")
    void anyTextIsReadOrRefused(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        for (Consumer<String> reader : READERS) {
            try {
                reader.accept(text);
            } catch (ProtocolException e) {
                assertThat(e.error().status()).isBetween(400, 499);
                assertThat(e.error().message()).isNotBlank();
                assertThat(e.error().message().length())
                        .as("length of the message")
                        .isLessThan(2_000);
                String eventId = RequestReader.origin(text).eventId();
                assertThat(EventWriter.error(new ServerEvent.Refused(e.error(), eventId, null)))
                        .startsWith("{");
            }
        }
    }
}
