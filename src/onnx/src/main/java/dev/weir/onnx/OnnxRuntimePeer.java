package dev.weir.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * ONNX Runtime by its official Java API alone, as a program without this one would use it: all sequences in one batch, prefilled
 * together, with keys and values as tensors in the host's memory that come out of one run and go into the next. They grow
 * with each token; on a GPU they are copied there and back in each step. Used by one thread.
 *
 * <p>Takes graphs with {@code GroupQueryAttention}: for a GPU exports with {@code --target cuda-slots}, since those with paged
 * attention want their cache as input and output in the same device memory, which this API cannot say.
 */
public final class OnnxRuntimePeer implements Peer {
    @Override
    public String name() {
        return "onnxruntime";
    }

    @Override
    public String description() {
        return "com.microsoft.onnxruntime " + OnnxRuntime.environment().getVersion()
                + " by its Java API, all sequences in one batch, keys and values in the host's memory";
    }

    @Override
    public Session load(Path model, Size size) {
        ModelFolder folder;
        try {
            folder = ModelFolder.open(model);
        } catch (ModelLoadException e) {
            throw new IllegalArgumentException("--peer onnxruntime has no model: " + e.getMessage(), e);
        }
        if (folder.blockSize() != 0) {
            throw new IllegalArgumentException("--peer onnxruntime has " + folder.path() + ", whose paged attention it"
                    + " cannot run: give an export with --target cuda-slots");
        }
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR); // as this server's own
            if (size.gpu().isPresent()) {
                options.addCUDA(size.gpu().getAsInt());
            } else {
                options.setIntraOpNumThreads(size.threads());
            }
            return new HostTensors(
                    folder,
                    OnnxRuntime.environment().createSession(folder.modelFile().toString(), options),
                    size.gpu().isPresent());
        } catch (OrtException e) {
            throw new IllegalArgumentException(
                    "--peer onnxruntime cannot load " + folder.modelFile() + ": " + e.getMessage(), e);
        }
    }

    /** A loaded model whose cache is what the latest run gave. */
    static final class HostTensors implements Session {
        private final ModelFolder folder;
        private final OrtSession session;
        private final boolean isOnGpu;
        private final OrtEnvironment environment = OnnxRuntime.environment();
        private long[] newest = new long[0];
        private long sentBytes;
        private long fetchedBytes;

        HostTensors(ModelFolder folder, OrtSession session, boolean isOnGpu) {
            this.folder = folder;
            this.session = session;
            this.isOnGpu = isOnGpu;
        }

        @Override
        public TokenTimes run(List<Prompt> prompts, int newTokens) {
            int batch = prompts.size();
            int length = prompts.getFirst().tokens().length;
            long[] ids = prompts.stream()
                    .flatMapToLong(prompt -> Arrays.stream(prompt.tokens()).asLongStream())
                    .toArray();
            if (ids.length != batch * length) {
                throw new IllegalArgumentException("prompts are of several lengths, but a batch is of one");
            }
            TokenClock clock = new TokenClock(batch, newTokens);
            OrtSession.@Nullable Result cached = null;
            try {
                for (int past = 0; past < length + newTokens - 1; past += past == 0 ? length : 1) {
                    OrtSession.Result computed = step(ids, batch, past, cached);
                    if (cached != null) {
                        cached.close();
                    }
                    cached = computed;
                    ids = likeliest(output(computed, folder.names().logits()), batch);
                    for (int sequence = 0; sequence < batch; sequence++) {
                        clock.arrived(sequence);
                    }
                }
                newest = ids;
                return clock.stop();
            } catch (OrtException e) {
                throw new IllegalStateException("--peer onnxruntime failed: " + e.getMessage(), e);
            } finally {
                if (cached != null) {
                    cached.close();
                }
            }
        }

        /** Computes the tokens {@code [batch, tokens]} behind {@code past} ones whose keys and values are outputs of the run before. */
        private OrtSession.Result step(long[] ids, int batch, int past, OrtSession.@Nullable Result before)
                throws OrtException {
            int tokens = ids.length / batch;
            long[] mask = new long[batch * (past + tokens)];
            Arrays.fill(mask, 1);
            long[] positions = new long[ids.length];
            Arrays.setAll(positions, i -> past + i % tokens);
            ModelFolder.GraphNames names = folder.names();
            Map<String, OnnxTensor> inputs = new HashMap<>();
            List<OnnxTensor> own = new ArrayList<>();
            try {
                put(names.inputIds(), ids, batch, inputs, own);
                put(names.attentionMask(), mask, batch, inputs, own);
                put(names.positionIds(), positions, batch, inputs, own);
                for (int layer = 0; layer < folder.layers(); layer++) {
                    putCache(names.pastKey(), names.presentKey(), layer, batch, before, inputs, own);
                    putCache(names.pastValue(), names.presentValue(), layer, batch, before, inputs, own);
                }
                OrtSession.Result result = session.run(inputs);
                sentBytes =
                        inputs.values().stream().mapToLong(HostTensors::bytes).sum();
                fetchedBytes = 0;
                for (Map.Entry<String, OnnxValue> output : result) {
                    fetchedBytes += bytes((OnnxTensor) output.getValue());
                }
                return result;
            } finally {
                own.forEach(OnnxTensor::close);
            }
        }

        private void put(String name, long[] values, int batch, Map<String, OnnxTensor> inputs, List<OnnxTensor> own)
                throws OrtException {
            if (session.getInputNames().contains(name)) { // a model with rotary positions has no use for their numbers
                long[] shape = {batch, values.length / batch};
                own.add(OnnxTensor.createTensor(environment, LongBuffer.wrap(values), shape));
                inputs.put(name, own.getLast());
            }
        }

        private void putCache(
                String past,
                String present,
                int layer,
                int batch,
                OrtSession.@Nullable Result before,
                Map<String, OnnxTensor> inputs,
                List<OnnxTensor> own)
                throws OrtException {
            String name = past.formatted(layer);
            if (before != null) {
                inputs.put(name, output(before, present.formatted(layer)));
                return;
            }
            NodeInfo info = session.getInputInfo().get(name);
            if (info == null) {
                throw new OrtException(folder.modelFile() + " has no input " + name);
            }
            OnnxJavaType type = ((TensorInfo) info.getInfo()).type;
            long[] shape = {batch, folder.kvHeads(), 0, folder.headSize()};
            own.add(OnnxTensor.createTensor(environment, ByteBuffer.allocateDirect(0), shape, type));
            inputs.put(name, own.getLast());
        }

        private static OnnxTensor output(OrtSession.Result result, String name) throws OrtException {
            return (OnnxTensor) result.get(name).orElseThrow(() -> new OrtException("the graph has no output " + name));
        }

        /** The likeliest token after each row's last one, of logits {@code [batch, wanted tokens, rows of the table]}. */
        private long[] likeliest(OnnxTensor logits, int batch) {
            long[] shape = logits.getInfo().getShape();
            int stride = (int) shape[2];
            int row = (int) shape[1] * stride;
            FloatBuffer scores = logits.getFloatBuffer();
            long[] tokens = new long[batch];
            for (int sequence = 0; sequence < batch; sequence++) {
                int start = (sequence + 1) * row - stride;
                int best = 0;
                for (int token = 1; token < folder.vocabularySize(); token++) {
                    best = scores.get(start + token) > scores.get(start + best) ? token : best;
                }
                tokens[sequence] = best;
            }
            return tokens;
        }

        /** The latest run's last token of each sequence. */
        long[] newest() {
            return newest;
        }

        private static long bytes(OnnxTensor tensor) {
            TensorInfo info = tensor.getInfo();
            return info.getNumElements() * info.type.size;
        }

        @Override
        public Optional<Traffic> traffic() {
            return isOnGpu ? Optional.of(new Traffic(sentBytes, fetchedBytes)) : Optional.empty();
        }

        @Override
        public void close() {
            try {
                session.close();
            } catch (OrtException e) {
                throw new IllegalStateException("--peer onnxruntime cannot be closed: " + e.getMessage(), e);
            }
        }
    }
}
