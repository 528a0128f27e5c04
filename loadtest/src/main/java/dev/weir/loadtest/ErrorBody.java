package dev.weir.loadtest;

import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The body of an HTTP answer that is an error, put into one line. */
final class ErrorBody {

    private ErrorBody() {}

    /** The message of an OpenAI-style error object, otherwise the text itself; empty for no body. */
    static String message(@Nullable Buffer body) {
        if (body == null) {
            return "";
        }
        byte[] bytes = body.getBytes();
        try {
            StreamEvent event = new StreamEventReader().readChunk(bytes, 0, bytes.length);
            if (event.errorMessage != null) {
                return event.errorMessage;
            }
        } catch (IOException _) {
            // not JSON: the text speaks for itself
        }
        return body.toString().replaceAll("\\s+", " ").strip();
    }
}
