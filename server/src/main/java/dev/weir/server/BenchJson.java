package dev.weir.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.weir.onnx.Peer;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Results as one JSON object, for other programs. Names carry their units. Static functions. */
final class BenchJson {
    private BenchJson() {}

    /**
     * Writes a file.
     *
     * @param prefill one prompt alone, if it was measured: none or one
     */
    static void write(Path file, BenchRun run, List<BenchResult> prefill, List<BenchResult> generations)
            throws IOException {
        try (Writer writer = Files.newBufferedWriter(file);
                JsonGenerator out = new JsonFactory().createGenerator(writer)) {
            out.useDefaultPrettyPrinter();
            out.writeStartObject();
            out.writeStringField("model", run.folder().path().toString());
            out.writeNumberField("turns", run.turns());
            out.writeObjectFieldStart("peers");
            for (Map.Entry<Peer, Path> peer : run.peers().entrySet()) {
                out.writeObjectFieldStart(peer.getKey().name());
                out.writeStringField("what", peer.getKey().description());
                out.writeStringField("model", peer.getValue().toString());
                out.writeEndObject();
            }
            out.writeEndObject();
            results(out, "prefill", prefill);
            results(out, "generation", generations);
            out.writeEndObject();
        }
    }

    private static void results(JsonGenerator out, String name, List<BenchResult> results) throws IOException {
        out.writeArrayFieldStart(name);
        for (BenchResult result : results) {
            for (BenchRow row : result.rows()) {
                BenchLoad load = result.load();
                out.writeStartObject();
                out.writeStringField("contender", row.contender());
                out.writeNumberField("threads", result.threads());
                out.writeNumberField("sequences", load.sequences());
                out.writeNumberField("prompt_tokens", load.promptTokens());
                out.writeNumberField("new_tokens", load.newTokens());
                spread(out, "output_tokens_per_s", row.tokensPerSecond());
                spread(out, "prefill_tokens_per_s", row.prefillTokensPerSecond(load.promptTokens()));
                spread(out, "engine_over_it", row.ratioOf(result.engine(), BenchRow::speeds));
                spread(out, "engine_over_it_in_prefill", row.ratioOf(result.engine(), BenchRow::prefillSpeeds));
                out.writeNumberField("ttft_p50_ms", row.firstTokenMillis(0.5));
                out.writeNumberField("ttft_p99_ms", row.firstTokenMillis(0.99));
                out.writeNumberField("itl_p50_ms", row.gapMillis(0.5));
                out.writeNumberField("itl_p99_ms", row.gapMillis(0.99));
                if (row.traffic().isPresent()) {
                    out.writeNumberField(
                            "sent_bytes_per_step", row.traffic().get().sent());
                    out.writeNumberField(
                            "fetched_bytes_per_step", row.traffic().get().fetched());
                }
                out.writeEndObject();
            }
        }
        out.writeEndArray();
    }

    private static void spread(JsonGenerator out, String name, BenchRow.Spread spread) throws IOException {
        out.writeObjectFieldStart(name);
        out.writeNumberField("median", spread.median());
        out.writeNumberField("least", spread.least());
        out.writeNumberField("most", spread.most());
        out.writeEndObject();
    }
}
