package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a graph says of whole sequences beside the next token's logits, or instead of them: the head of a fine-tuned model, or
 * embeddings. Used by one thread.
 *
 * <p>It has a session and a cache of its own, for one sequence, so that {@link OnnxModelRunner} stays as plain as serving
 * wants it.
 */
public final class HeadRunner implements AutoCloseable {
    private final ModelFolder folder;
    private final CpuSession session;
    private final Arena arena = Arena.ofShared();
    private final ModelSignature signature;
    private final int outputs;
    private final int maxTokens;
    private final KvCache cache;
    private final StepTokens text;
    private final AttentionMask mask;
    private final MemorySegment said;
    private final CpuSession.Run run;

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
        CpuSession session = CpuSession.open(folder, computing);
        try {
            return new HeadRunner(folder, output, session, maxTokens == 0 ? folder.contextLength() : maxTokens);
        } catch (OrtException e) {
            session.close();
            throw new ModelLoadException(folder.modelFile() + " cannot be used: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    private HeadRunner(ModelFolder folder, String output, CpuSession session, int maxTokens) throws OrtException {
        this.folder = folder;
        this.session = session;
        this.maxTokens = maxTokens;
        signature = ModelSignature.withoutLogits(session, folder);
        outputs = outputs(folder, output, session);
        KvCache.Shape shape = new KvCache.Shape(
                folder.layers(), folder.kvHeads(), maxTokens, folder.headSize(), signature.cacheType());
        cache = new KvCache(shape, 1, 0, PrefixCacheSize.BLOCK_TOKENS);
        text = StepTokens.ofOneRow(session, arena, maxTokens);
        mask = new AttentionMask(arena, 1, maxTokens);
        said = arena.allocate(ValueLayout.JAVA_FLOAT, outputs);
        run = session.newRun();
        cache.bind(0, 1, session, run, folder.names());
        if (signature.hasAttentionMask()) {
            run.input(folder.names().attentionMask(), mask.tensor(session, 1));
        }
        run.output(output, session.tensor(said, TensorType.FLOAT, 1, 1, outputs));
    }

    private static int outputs(ModelFolder folder, String output, CpuSession session) {
        TensorType type = session.outputs().get(output);
        if (type == null) {
            throw new ModelLoadException(
                    folder.modelFile() + " has no output \"" + output + "\": it was not fine-tuned for a task");
        }
        long[] dims = type.dims();
        boolean isForOneToken =
                dims.length == 3 && (dims[1] == 1 || session.optionalInputs().contains(ModelFolder.LOGITS_INDICES));
        if (type.element() != TensorType.FLOAT || !isForOneToken || dims[2] < 1) {
            throw new ModelLoadException(folder.modelFile() + ": output \"" + output + "\" is " + type
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
        for (int i = 0; i < tokens.length; i++) {
            text.set(i, tokens[i], i);
        }
        mask.set(0, tokens.length);
        try {
            run.input(folder.names().inputIds(), text.ids(tokens.length));
            if (signature.hasPositionIds()) {
                run.input(folder.names().positionIds(), text.positions(tokens.length));
            }
            run.start();
        } catch (OrtException e) {
            throw new IllegalStateException("the model " + folder.name() + " failed: " + e.getMessage(), e);
        }
        return said.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Override
    public void close() {
        session.close();
        cache.close();
        arena.close();
    }
}
