package dev.weir.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a run's {@code metrics.jsonl} says of every step and of every look at the held-out text. Immutable; any thread. */
record RunMetrics(List<Step> steps, List<Look> looks) {
    /** One step; {@code loss} in nats per token before the step moved the weights. */
    record Step(int step, double loss, double learningRate, double gradientNorm, double seconds) {}

    /**
     * One look at the held-out text.
     *
     * @param trainingLoss mean loss of the steps since the look before; not a number if there were none
     * @param plainLoss of the plain text on which forgetting shows; not a number if there is none
     * @param sample what the model then wrote; empty if it was not asked to
     */
    record Look(
            int step,
            double trainingLoss,
            double validationLoss,
            double bitsPerByte,
            double plainLoss,
            String sample) {}

    /** Whether a plain text was scored too. */
    boolean hasPlainLoss() {
        return looks.stream().anyMatch(look -> !Double.isNaN(look.plainLoss));
    }

    /** Reads a file, which may not be there yet and may end in half a line if the machine went down. */
    static RunMetrics read(Path file) throws IOException {
        List<Step> steps = new ArrayList<>();
        List<Look> looks = new ArrayList<>();
        if (!Files.isRegularFile(file)) {
            return new RunMetrics(steps, looks);
        }
        ObjectMapper mapper = new ObjectMapper();
        int before = 0;
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.endsWith("}")) {
                    continue;
                }
                JsonNode entry = mapper.readTree(line);
                int step = entry.path("step").asInt();
                if (entry.has("loss")) {
                    steps.add(new Step(
                            step,
                            entry.path("loss").asDouble(),
                            entry.path("learning_rate").asDouble(),
                            entry.path("gradient_norm").asDouble(),
                            entry.path("seconds").asDouble()));
                } else {
                    double trainingLoss = steps.subList(before, steps.size()).stream()
                            .mapToDouble(Step::loss)
                            .average()
                            .orElse(Double.NaN);
                    before = steps.size();
                    looks.add(new Look(
                            step,
                            trainingLoss,
                            entry.path("validation_loss").asDouble(),
                            entry.path("bits_per_byte").asDouble(),
                            entry.path("text_loss").asDouble(Double.NaN),
                            entry.path("sample").asText()));
                }
            }
        }
        return new RunMetrics(steps, looks);
    }
}
