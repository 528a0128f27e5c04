package dev.weir.loadtest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.IOException;
import java.io.Writer;
import java.util.Locale;

/**
 * A record of each request that ended, warm-up included, one JSON object per line. Owner: the thread of the run; lines
 * go through a buffer, so that the file system is met every few hundred requests. Times are milliseconds, starts count
 * from the start of the run; what did not happen is left out.
 */
final class RawLog implements AutoCloseable {

    private final JsonGenerator out;
    private final long originNanos;

    RawLog(Writer to, long originNanos) throws IOException {
        this.out = new JsonFactory().createGenerator(to);
        this.out.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
        this.originNanos = originNanos;
    }

    void add(RequestTrace trace, Outcome outcome) {
        try {
            out.writeStartObject();
            out.writeNumberField("request", trace.index);
            out.writeNumberField("start_ms", millis(trace.startNanos - originNanos));
            if (trace.sentNanos != RequestTrace.UNSET) {
                out.writeNumberField("sent_ms", millis(trace.sentNanos - originNanos));
            }
            if (trace.connectNanos > 0) {
                out.writeNumberField("connect_ms", millis(trace.connectNanos));
            }
            if (trace.firstDeltaNanos != RequestTrace.UNSET) {
                out.writeNumberField("ttft_ms", millis(trace.firstDeltaNanos - trace.startNanos));
            }
            out.writeNumberField("e2e_ms", millis(trace.endNanos - trace.startNanos));
            out.writeNumberField("deltas", trace.deltas);
            if (trace.outputTokens >= 0) {
                out.writeNumberField("output_tokens", trace.outputTokens);
            }
            if (trace.inputTokens >= 0) {
                out.writeNumberField("input_tokens", trace.inputTokens);
            }
            switch (outcome) {
                case Outcome.Done(String reason) -> {
                    out.writeStringField("outcome", "done");
                    out.writeStringField("reason", reason);
                }
                case Outcome.Failed(ErrorKind kind, String code, String message) -> {
                    out.writeStringField("outcome", "failed");
                    out.writeStringField("kind", kind.name().toLowerCase(Locale.ROOT));
                    out.writeStringField("code", code);
                    out.writeStringField("message", message);
                }
                case Outcome.Cancelled _ -> out.writeStringField("outcome", "cancelled");
            }
            out.writeEndObject();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    static LoadTestException failed(IOException e) {
        return new LoadTestException("cannot write the --raw file: " + Failures.describe(e));
    }

    /** Whole microseconds, as milliseconds. */
    private static double millis(long nanos) {
        return Math.round(nanos / 1e3) / 1e3;
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }
}
