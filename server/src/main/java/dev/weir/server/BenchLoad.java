package dev.weir.server;

/**
 * What is generated at once. Immutable.
 *
 * @param sequences sequences generated together
 * @param promptTokens tokens of each prompt
 * @param newTokens tokens of each answer
 */
record BenchLoad(int sequences, int promptTokens, int newTokens) {
    BenchLoad {
        if (sequences < 1 || promptTokens < 1 || newTokens < 2) {
            throw new IllegalArgumentException("sequences are " + sequences + ", prompt tokens " + promptTokens
                    + ", new tokens " + newTokens + ": new tokens must be at least 2, the others at least 1");
        }
    }

    int maxTokens() {
        return promptTokens + newTokens;
    }
}
