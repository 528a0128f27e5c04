package dev.weir.engine;

import java.util.HashMap;
import java.util.Map;

/** What prompts have been given since rows were last decoded, in one step or in several. Owned by the engine thread. */
final class PrefillRound {
    private final Map<String, Integer> ofTenants = new HashMap<>();
    private int chunks;
    private int tokens;
    private int pieceTokens;
    private long lastAdmission;

    /** Prompts may be given something again; the newest of them had the slot of that number. */
    void begin(long newestAdmission) {
        if (chunks == 0) {
            lastAdmission = newestAdmission;
        }
    }

    /** Whether a prompt was there when the round began: those that come later are not to make it longer. */
    boolean had(Sequence sequence) {
        return sequence.admission() <= lastAdmission;
    }

    /** Rows are decoded. */
    void restart() {
        ofTenants.clear();
        chunks = 0;
        tokens = 0;
        pieceTokens = 0;
    }

    /** Whether one more chunk fits. */
    boolean fits(int length, int budget, int maxChunks) {
        return SchedulingPolicy.chunkFits(length, budget - tokens, chunks, maxChunks);
    }

    /** Whether one more chunk fits of a tenant that gets {@code most} tokens, or one chunk if that is more. */
    boolean fitsTenant(String tenant, int length, int most) {
        int had = ofTenants.getOrDefault(tenant, 0);
        return had == 0 || length <= most - had;
    }

    void add(String tenant, int length, boolean isPiece) {
        chunks++;
        tokens += length;
        pieceTokens += isPiece ? length : 0;
        ofTenants.merge(tenant, length, Integer::sum);
    }

    /** Tokens of long prompts. */
    int pieceTokens() {
        return pieceTokens;
    }
}
