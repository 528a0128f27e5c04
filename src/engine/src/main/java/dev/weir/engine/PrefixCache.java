package dev.weir.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks of the runner's pool hold: a tree of token blocks, each below the block that precedes it in the text.
 * Owned by the engine thread.
 *
 * <p>A block is found by the block before it and by its own tokens, compared one by one. So two texts share a block only if
 * they agree in every token up to its end; that hashes collide, or that texts agree in their tails alone, gives nobody
 * another's cache.
 *
 * <p>When the pool is full the least recently used block goes. A use counts for a block and, later, for all before it:
 * so the oldest is always the last of its text, and what stays in the cache can always be reached.
 */
final class PrefixCache {
    private final PrefixPool pool;
    /** From the least to the most recently used. */
    private final LinkedHashMap<Key, Block> blocks = new LinkedHashMap<>();

    private final BitSet free;

    /** A block of tokens in the pool, or what is left of one that had to go. */
    static final class Block {
        private final Key key;
        private final int number;
        private boolean isCached = true;

        private Block(Key key, int number) {
            this.key = key;
            this.number = number;
        }

        /** Its place in the runner's pool. */
        int number() {
            return number;
        }

        @Override
        public String toString() {
            return "block " + number + (isCached ? "" : " (gone)");
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // compared by its contents
    private record Key(@Nullable Block parent, int[] tokens) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key(Block otherParent, int[] otherTokens)
                    && parent == otherParent
                    && Arrays.equals(tokens, otherTokens);
        }

        @Override
        public int hashCode() {
            return 31 * System.identityHashCode(parent) + Arrays.hashCode(tokens);
        }
    }

    PrefixCache(PrefixPool pool) {
        this.pool = pool;
        free = new BitSet(pool.blocks());
        free.set(0, pool.blocks());
    }

    boolean isOn() {
        return pool.blocks() > 0;
    }

    PrefixPool pool() {
        return pool;
    }

    int usedBlocks() {
        return blocks.size();
    }

    /** The cached block with these tokens after {@code parent}, which is null for a text's first block. */
    @Nullable
    Block find(@Nullable Block parent, int[] tokens) {
        return blocks.get(new Key(parent, tokens));
    }

    /**
     * Takes a block of the pool for tokens that are not cached yet; the caller plans the copy into it.
     *
     * @return null if the text before it is no longer cached, or fills the pool
     */
    @Nullable
    Block add(@Nullable Block parent, int[] tokens) {
        if (parent != null && !parent.isCached) {
            return null;
        }
        touch(parent);
        if (free.isEmpty()) {
            Block oldest = blocks.firstEntry().getValue();
            if (oldest == parent) {
                return null;
            }
            forget(oldest);
        }
        int number = free.nextSetBit(0);
        free.clear(number);
        Block block = new Block(new Key(parent, tokens), number);
        blocks.put(block.key, block);
        touch(parent);
        return block;
    }

    /** Notes the use of a block and all before it. */
    void touch(@Nullable Block last) {
        for (Block block = last; block != null && block.isCached; block = block.key.parent()) {
            blocks.putLast(block.key, block);
        }
    }

    /** Gives a block back, for instance because what it holds was never written. */
    void forget(Block block) {
        if (block.isCached) {
            block.isCached = false;
            blocks.remove(block.key);
            free.set(block.number);
        }
    }

    /** Every broken rule in words; empty when the books are right. */
    List<String> violations() {
        List<String> violations = new ArrayList<>();
        if (blocks.size() + free.cardinality() != pool.blocks()) {
            violations.add(blocks.size() + " blocks are cached and " + free.cardinality() + " are free, of "
                    + pool.blocks() + " in all");
        }
        BitSet numbers = new BitSet();
        Set<Block> older = new HashSet<>();
        for (Block block : blocks.values()) {
            if (numbers.get(block.number) || free.get(block.number) || block.number >= pool.blocks()) {
                violations.add(block + " is held twice, or free, or not there");
            }
            numbers.set(block.number);
            Block parent = block.key.parent();
            if (parent != null && (!parent.isCached || older.contains(parent))) {
                violations.add(block + " cannot be reached or would outlive " + parent);
            }
            older.add(block);
        }
        return violations;
    }
}
