package dev.weir.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a graph says of whole sequences beside the next token's logits, or instead of them: the head of a fine-tuned model, or
 * embeddings. Used by one thread.
 *
 * <p>It has a session and a cache of its own, for one sequence, so that {@link OnnxModelRunner} stays as plain as serving
 * wants it.
 */
public final class HeadRunner implements AutoCloseable {
    private final OrtEnvironment environment = OnnxRuntime.environment();
    private final ModelFolder folder;
    private final String output;
    private final OrtSession session;
    private final ModelSignature signature;
    private final int outputs;
    private final int maxTokens;
    private final KvCache cache;
    private final List<OnnxTensor> slot;
    private final AttentionMask mask;

    /**
     * Loads a model.
     *
     * @param output the name of the graph's output, {@code float [batch, 1, outputs]}
     * @param maxTokens of a sequence; 0 for as many as the model was made for
     * @param threads that compute; 0 for one per physical core
     * @throws ModelLoadException naming the file and what is wrong, such as that it has no such output
     */
    public static HeadRunner open(ModelFolder folder, String output, int maxTokens, int threads) {
        int computing = threads == 0 ? Processor.physicalCores() : threads;
        OrtSession session = OnnxModelRunner.openSession(folder, computing);
        try {
            return new HeadRunner(folder, output, session, maxTokens == 0 ? folder.contextLength() : maxTokens);
        } catch (OrtException e) {
            OnnxModelRunner.closeQuietly(session, e);
            throw new ModelLoadException(folder.modelFile() + " cannot be used: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            OnnxModelRunner.closeQuietly(session, e);
            throw e;
        }
    }

    private HeadRunner(ModelFolder folder, String output, OrtSession session, int maxTokens) throws OrtException {
        this.folder = folder;
        this.output = output;
        this.session = session;
        this.maxTokens = maxTokens;
        signature = ModelSignature.withoutLogits(session, folder);
        outputs = outputs(folder, output, session);
        KvCache.Shape shape = new KvCache.Shape(
                folder.layers(), folder.kvHeads(), maxTokens, folder.headSize(), signature.cacheType());
        cache = new KvCache(environment, shape, 1, 0, PrefixCacheSize.BLOCK_TOKENS);
        slot = cache.tensors(0, 1);
        mask = new AttentionMask(1, maxTokens);
    }

    private static int outputs(ModelFolder folder, String output, OrtSession session) throws OrtException {
        NodeInfo info = session.getOutputInfo().get(output);
        if (info == null || !(info.getInfo() instanceof TensorInfo tensor)) {
            throw new ModelLoadException(
                    folder.modelFile() + " has no output \"" + output + "\": it was not fine-tuned for a task");
        }
        long[] dims = tensor.getShape();
        if (tensor.type != OnnxJavaType.FLOAT || dims.length != 3 || dims[1] != 1 || dims[2] < 1) {
            throw new ModelLoadException(folder.modelFile() + ": output \"" + output + "\" is " + tensor
                    + " but must have elements of type FLOAT and the dimensions batch, 1 and the number of outputs");
        }
        return Math.toIntExact(dims[2]);
    }

    /** How many numbers the head says of a sequence. */
    public int outputs() {
        return outputs;
    }

    /**
     * What the graph says of a sequence.
     *
     * @throws IllegalArgumentException if it has no tokens or more than the model takes
     */
    public float[] run(int[] tokens) {
        if (tokens.length < 1 || tokens.length > maxTokens) {
            throw new IllegalArgumentException(
                    "a sequence has " + tokens.length + " tokens: give from 1 to " + maxTokens);
        }
        long[] ids = new long[tokens.length];
        long[] positions = new long[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            ids[i] = tokens[i];
            positions[i] = i;
        }
        mask.set(0, tokens.length);
        long[] dims = {1, tokens.length};
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Map<String, OnnxTensor> pinned = new HashMap<>();
        KvCache.bind(slot, folder.names(), inputs, pinned);
        try (OnnxTensor idTensor = OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), dims);
                OnnxTensor positionTensor = OnnxTensor.createTensor(environment, LongBuffer.wrap(positions), dims);
                OnnxTensor maskTensor = mask.tensor(environment, 1)) {
            inputs.put(folder.names().inputIds(), idTensor);
            if (signature.hasPositionIds()) {
                inputs.put(folder.names().positionIds(), positionTensor);
            }
            if (signature.hasAttentionMask()) {
                inputs.put(folder.names().attentionMask(), maskTensor);
            }
            float[] said = new float[outputs];
            try (OrtSession.Result result = session.run(inputs, Set.of(output), pinned)) {
                FloatBuffer values = ((OnnxTensor) result.get(output).orElseThrow()).getFloatBuffer();
                values.get(said);
            }
            return said;
        } catch (OrtException e) {
            throw new IllegalStateException("the model " + folder.name() + " failed: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        slot.forEach(OnnxTensor::close);
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("cannot close the model " + folder.name() + ": " + e.getMessage(), e);
        } finally {
            cache.close();
        }
    }
}
