package dev.weir.onnx;

import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.PrefixPool;
import dev.weir.engine.StepPlan;

/**
 * Refuses a plan that does not fit the model before anything is computed, so that a mistake changes no slot. Static
 * functions; any thread.
 */
final class StepPlanCheck {
    private StepPlanCheck() {}

    static void check(StepPlan plan, ModelShape shape, int maxChunks) {
        if (plan.decodeRows() > shape.slots()) {
            throw new IllegalArgumentException(
                    "the plan has " + plan.decodeRows() + " decode rows for " + shape.slots() + " slots");
        }
        if (plan.chunks().size() > maxChunks) {
            throw new IllegalArgumentException(
                    "the plan has " + plan.chunks().size() + " prefill chunks, at most " + maxChunks + " fit a step");
        }
        for (StepPlan.BlockCopy save : plan.saves()) {
            checkCopy(save, shape);
        }
        for (StepPlan.BlockCopy load : plan.loads()) {
            checkCopy(load, shape);
        }
        for (int slot : plan.releases()) {
            checkSlot(slot, shape);
        }
        for (StepPlan.SlotMove move : plan.moves()) {
            checkSlot(move.from(), shape);
            checkSlot(move.to(), shape);
            checkTokens(move.tokens(), shape);
        }
        for (PrefillChunk chunk : plan.chunks()) {
            checkSlot(chunk.slot(), shape);
            checkTokens(chunk.start() + chunk.length(), shape);
            if (chunk.scored() > 1
                    && (chunk.scored() > 1 + shape.draftTokens()
                            || plan.chunks().size() > 1)) {
                throw new IllegalArgumentException(
                        chunk.scored() + " tokens of a chunk are to be scored, but this model" + " scores "
                                + (1 + shape.draftTokens()) + " at most, of a chunk that is alone in its step");
            }
            for (int i = chunk.start(); i < chunk.start() + chunk.length(); i++) {
                checkToken(chunk.tokens()[i], shape);
            }
        }
        for (int row = 0; row < plan.decodeRows(); row++) {
            checkToken(plan.token(row), shape);
            checkTokens(plan.position(row) + 1, shape);
        }
    }

    private static void checkCopy(StepPlan.BlockCopy copy, ModelShape shape) {
        PrefixPool pool = shape.prefixPool();
        if (copy.block() < 0 || copy.block() >= pool.blocks()) {
            throw new IllegalArgumentException("block " + copy.block() + " is not one of " + pool.blocks());
        }
        checkSlot(copy.slot(), shape);
        checkTokens(copy.start(), shape);
        checkTokens(copy.start() + pool.blockTokens(), shape);
    }

    private static void checkSlot(int slot, ModelShape shape) {
        if (slot < 0 || slot >= shape.slots()) {
            throw new IllegalArgumentException("slot " + slot + " is not one of " + shape.slots());
        }
    }

    private static void checkTokens(int tokens, ModelShape shape) {
        if (tokens < 0 || tokens > shape.maxTokens()) {
            throw new IllegalArgumentException(tokens + " tokens do not fit a slot of " + shape.maxTokens());
        }
    }

    private static void checkToken(int token, ModelShape shape) {
        if (token < 0 || token >= shape.vocabularySize()) {
            throw new IllegalArgumentException(
                    "token " + token + " is not in the vocabulary of " + shape.vocabularySize());
        }
    }
}
