package dev.weir.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How sequences come to share what they begin with: plans copies of whole blocks of tokens between the slots and the pool of the
 * {@link PrefixCache}. Owned by the engine thread.
 *
 * <p>With a {@link PrefixCache}, whole blocks of tokens are copied out of the slots in the step after they were computed,
 * and a prompt that begins with cached blocks has them copied into its slot before the rest is computed. What a sequence
 * generates is the same to the last bit whether it found blocks or not: a block ends where chunks may end, a model gives a
 * token the same bits in any chunk of two or more, and where a single token gets others, blocks that hold generated tokens
 * serve their own sequence alone ({@link PrefixPool#decodesLikePrefill}). The exception is the one above, a preempted
 * sequence on such a model: what it finds of its generated tokens is what it decoded, the rest it computes in chunks.
 *
 * <p>What several prompts begin with is computed once even if they come together, as the samples of one request do: a
 * sequence does not compute a block that one before it is about to share, but takes it over a step later. Without a prefix
 * cache each computes its own.
 *
 * <p>No block is evicted while it is copied: a step's blocks are found after room was made for its saves, which the runner
 * makes first.
 */
final class PrefixSharing {
    private final EngineConfig config;
    private final PrefixCache prefixCache;
    private final int blockTokens;
    private final int maxBlockCopies;

    /** Sequences that gave their slot back since the last step, and the slot. */
    private final List<Departed> departed = new ArrayList<>();

    /** Blocks that the current plan saves. */
    private final List<PrefixCache.Block> saved = new ArrayList<>();

    private record Departed(Sequence sequence, int slot) {}

    PrefixSharing(EngineConfig config, PrefixCache prefixCache) {
        this.config = config;
        this.prefixCache = prefixCache;
        blockTokens = prefixCache.pool().blockTokens();
        maxBlockCopies = SchedulingPolicy.blockCopies(config.tokenBudget(), blockTokens);
        if (prefixCache.isOn() && config.prefillChunk() % blockTokens != 0) {
            throw new IllegalArgumentException("prefill-chunk is " + config.prefillChunk()
                    + " but must be a multiple of the prefix cache's blocks of " + blockTokens + " tokens");
        }
    }

    /** Tokens that a step finds in the cache at most. */
    int mostLoadedTokens() {
        return prefixCache.isOn() ? maxBlockCopies * blockTokens : 0;
    }

    PrefixCache cache() {
        return prefixCache;
    }

    /** The sequence is about to give its slot back; what it holds may still be saved, in the next step. */
    void departed(Sequence sequence) {
        if (prefixCache.isOn()) {
            departed.add(new Departed(sequence, sequence.slot()));
        }
    }

    /** Chunks of the sequence are planned up to that token. */
    void chunked(Sequence sequence, int end) {
        if (!prefixCache.pool().decodesLikePrefill() && sequence.recomputes(end)) {
            sequence.endPrefix(); // its key would say that these tokens were decoded
        }
    }

    /** Saves what a sequence that loses its slot has computed, generated tokens too. */
    void planSavesOfAll(StepPlan plan, Sequence sequence) {
        if (prefixCache.isOn()) {
            planSaves(plan, sequence, sequence.slot(), sequence.computedTokens());
        }
    }

    /** Those that left come first: their slots may be written to in this very step. */
    void planSaves(StepPlan plan, List<Sequence> running) {
        saved.clear();
        if (!prefixCache.isOn()) {
            return;
        }
        for (Departed gone : departed) {
            planSaves(plan, gone.sequence(), gone.slot(), gone.sequence().sharedTokens(prefixCache.pool()));
        }
        departed.clear();
        for (Sequence sequence : running) {
            planSaves(plan, sequence, sequence.slot(), sequence.sharedTokens(prefixCache.pool()));
        }
    }

    /** Saves blocks of the sequence up to token {@code end}, or finds that they are cached. */
    private void planSaves(StepPlan plan, Sequence sequence, int slot, int end) {
        int before = sequence.prefixTokens();
        while (sequence.sharesPrefix()
                && sequence.prefixTokens() + blockTokens <= end
                && plan.saves().size() < maxBlockCopies) {
            int start = sequence.prefixTokens();
            int[] key = sequence.blockKey(start, prefixCache.pool());
            PrefixCache.Block block = prefixCache.find(sequence.prefix(), key);
            if (block == null) {
                block = prefixCache.add(sequence.prefix(), key);
                if (block == null) {
                    sequence.endPrefix();
                    break;
                }
                plan.addSave(slot, start, block.number());
                saved.add(block);
            }
            sequence.extendPrefix(block, blockTokens);
        }
        if (sequence.prefixTokens() > before) {
            prefixCache.touch(sequence.prefix());
        }
    }

    /**
     * Plans the copies of the cached blocks that follow what is in the sequence's slot.
     *
     * @return tokens copied in this step, or -1 if the next step copies more before anything is computed
     */
    int planLoads(StepPlan plan, Sequence sequence) {
        int start = sequence.computedTokens();
        if (!prefixCache.isOn() || !sequence.sharesPrefix() || sequence.prefixTokens() != start) {
            return 0;
        }
        List<PrefixCache.Block> found = new ArrayList<>();
        PrefixCache.Block last = sequence.prefix();
        int cached = start;
        while (cached + blockTokens <= sequence.reusableTokens()) {
            PrefixCache.Block next = prefixCache.find(last, sequence.blockKey(cached, prefixCache.pool()));
            if (next == null) {
                break;
            }
            found.add(next);
            last = next;
            cached += blockTokens;
        }
        int reusable = SchedulingPolicy.reusableTokens(
                cached, sequence.reusableTokens(), sequence.chunkedTokens(), config.prefillChunk(), prefixCache.pool());
        prefixCache.touch(last);
        int at = start;
        for (PrefixCache.Block block : found) {
            if (at >= reusable) {
                break;
            }
            if (plan.loads().size() >= maxBlockCopies) {
                return -1;
            }
            plan.addLoad(block.number(), sequence.slot(), at);
            sequence.extendPrefix(block, blockTokens);
            at += blockTokens;
            sequence.plan(at - start);
        }
        return at - start;
    }

    /**
     * Whether a sequence before this one holds, or is computing, the very block that this one needs next, and will share it.
     * The first of those who want a block waits for nobody, so somebody always computes it; one that is parked is not waited
     * for.
     */
    boolean isSharedSoon(Sequence sequence, int start, List<Sequence> running) {
        int end = start + blockTokens;
        if (!prefixCache.isOn() || !sequence.follows(start) || end > sequence.reusableTokens()) {
            return false;
        }
        int[] key = null;
        for (Sequence other : running) {
            if (other == sequence) {
                return false;
            }
            if (other.follows(start)
                    && other.prefix() == sequence.prefix()
                    && other.stream.hasDemand()
                    && end <= other.shareableTokens(prefixCache.pool())) {
                key = key == null ? sequence.blockKey(start, prefixCache.pool()) : key;
                if (Arrays.equals(key, other.blockKey(start, prefixCache.pool()))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The plan's step was not completed: nobody knows what the blocks hold that it should have saved. */
    void forgetSaves() {
        saved.forEach(prefixCache::forget);
        saved.clear();
    }
}
