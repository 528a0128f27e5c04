package dev.weir.loadtest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.Locale;

/** A report as one JSON object, for other programs. Names carry their units. */
final class ReportJson {

    private ReportJson() {}

    static void write(Report report, List<String> missedThresholds, Writer to) throws IOException {
        try (JsonGenerator out = new JsonFactory().createGenerator(to)) {
            out.useDefaultPrettyPrinter();
            out.writeStartObject();
            out.writeStringField("target", report.target());
            out.writeStringField("load", report.load());
            out.writeNumberField("warm_up_s", report.warmUp().toNanos() / 1e9);
            out.writeNumberField("window_s", report.window().toNanos() / 1e9);
            requests(out, report);
            out.writeNumberField("output_tokens_per_s", report.tokensPerSecond());
            out.writeNumberField("requests_per_s", report.requestsPerSecond());
            out.writeNumberField("input_tokens_per_s", report.inputTokensPerSecond());
            tokens(out, report);
            latency(out, "ttft_ms", report.timeToFirstToken());
            latency(out, "itl_ms", report.interTokenLatency());
            latency(out, "delta_gap_ms", report.deltaGap());
            latency(out, "tpot_ms", report.timePerOutputToken());
            latency(out, "e2e_ms", report.endToEnd());
            latency(out, "connect_ms", report.connect());
            out.writeObjectFieldStart("client");
            out.writeNumberField("cores", report.clientCost().cores());
            out.writeNumberField("event_loop_share", report.clientCost().eventLoopShare());
            out.writeNumberField("us_per_delta", report.clientCost().microsPerDelta());
            out.writeEndObject();
            errors(out, report);
            out.writeArrayFieldStart("missed_thresholds");
            for (String missed : missedThresholds) {
                out.writeString(missed);
            }
            out.writeEndArray();
            out.writeEndObject();
        }
    }

    private static void requests(JsonGenerator out, Report report) throws IOException {
        Report.Requests requests = report.requests();
        out.writeObjectFieldStart("requests");
        out.writeNumberField("done", requests.done());
        out.writeNumberField("failed", requests.failed());
        out.writeNumberField("cancelled", requests.cancelled());
        out.writeNumberField("dropped_arrivals", requests.droppedArrivals());
        out.writeNumberField("failed_in_warm_up", requests.failedInWarmUp());
        out.writeNumberField("waiting_for_first_token_at_end", requests.waiting());
        out.writeNumberField("longest_wait_ms", requests.longestWaitMillis());
        out.writeNumberField("error_rate", requests.errorRate());
        out.writeEndObject();
    }

    private static void tokens(JsonGenerator out, Report report) throws IOException {
        out.writeObjectFieldStart("tokens");
        out.writeNumberField("output", report.outputTokens());
        out.writeNumberField("output_estimated", report.estimatedTokens());
        out.writeBooleanField("counted_by_server", report.hasUsage());
        out.writeNumberField("per_delta", report.tokensPerDelta());
        out.writeNumberField("input", report.inputTokens());
        out.writeNumberField("per_answer_min", report.lengths().fewest());
        out.writeNumberField("per_answer_mean", report.lengths().mean());
        out.writeNumberField("per_answer_max", report.lengths().most());
        out.writeEndObject();
    }

    private static void latency(JsonGenerator out, String name, Report.Latency latency) throws IOException {
        out.writeObjectFieldStart(name);
        out.writeNumberField("count", latency.count());
        out.writeNumberField("mean", latency.mean());
        out.writeNumberField("p50", latency.p50());
        out.writeNumberField("p90", latency.p90());
        out.writeNumberField("p95", latency.p95());
        out.writeNumberField("p99", latency.p99());
        out.writeNumberField("max", latency.max());
        out.writeEndObject();
    }

    private static void errors(JsonGenerator out, Report report) throws IOException {
        out.writeArrayFieldStart("errors");
        for (Report.ErrorLine error : report.errors()) {
            out.writeStartObject();
            out.writeStringField("kind", error.kind().name().toLowerCase(Locale.ROOT));
            out.writeStringField("code", error.code());
            out.writeNumberField("count", error.count());
            out.writeStringField("message", error.message());
            out.writeEndObject();
        }
        out.writeEndArray();
    }
}
