package dev.weir.peers;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaIterator;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import dev.weir.onnx.Peer;
import dev.weir.onnx.TokenClock;
import dev.weir.onnx.TokenTimes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * llama.cpp in this process, through JNI: the server's continuous batching with a slot for each sequence. Used by one thread.
 *
 * <p>The binding takes prompts as text alone, so that its tokens are checked against the prompt's once for each.
 */
public final class LlamaCppPeer implements Peer {
    /** What a slot must have beyond its tokens not to be cut short. */
    private static final int SPARE_TOKENS = 2;

    @Override
    public String name() {
        return "llama.cpp";
    }

    @Override
    public String description() {
        return "de.kherud:llama 4.2.0, a slot for each sequence, its own defaults otherwise";
    }

    @Override
    public Session load(Path model, Size size) {
        if (!Files.isRegularFile(model)) {
            throw new IllegalArgumentException(
                    "--peer llama.cpp has no file " + model + ": give one that ./weir export --format gguf wrote");
        }
        ModelParameters parameters = new ModelParameters()
                .setModel(model.toString())
                .disableLog()
                .setThreads(size.threads())
                .setThreadsBatch(size.threads())
                .setParallel(size.sequences())
                .setCtxSize(size.sequences() * (size.maxTokens() + SPARE_TOKENS));
        try {
            return new LlamaSession(new LlamaModel(parameters));
        } catch (RuntimeException e) { // its own is not public
            throw new IllegalArgumentException("--peer llama.cpp cannot load " + model + ": " + e.getMessage(), e);
        }
    }

    private record LlamaSession(LlamaModel model) implements Session {
        @Override
        public TokenTimes run(List<Prompt> prompts, int newTokens) {
            for (Prompt prompt : prompts) {
                if (!Arrays.equals(model.encode(prompt.text()), prompt.tokens())) {
                    throw new IllegalArgumentException(
                            "--peer llama.cpp tokenizes otherwise than the model: give it the same model's weights");
                }
            }
            return Together.run(
                    prompts.size(),
                    newTokens,
                    (sequence, clock) -> generate(prompts.get(sequence).text(), newTokens, sequence, clock));
        }

        private void generate(String prompt, int newTokens, int sequence, TokenClock clock) {
            InferenceParameters parameters = new InferenceParameters(prompt)
                    .setNPredict(newTokens)
                    .setTemperature(0)
                    .setTopK(1)
                    .setIgnoreEos(true)
                    .setCachePrompt(false);
            LlamaIterator outputs = model.generate(parameters).iterator();
            while (outputs.hasNext()) {
                outputs.next();
                if (outputs.hasNext()) { // the last output only says that it is the last
                    clock.arrived(sequence);
                }
            }
        }

        @Override
        public void close() {
            model.close();
        }
    }
}
