package dev.weir.onnx;

import java.nio.file.Path;
import java.util.List;

/**
 * Another program that generates text from a GPT's weights, to be measured beside this one doing the same work. Found by
 * {@link java.util.ServiceLoader}; used by one thread.
 */
public interface Peer {
    /** What the command line calls it. */
    String name();

    /** What is measured: the library with its version, and what must be known of how it is used. */
    String description();

    /**
     * Loads weights for one load alone, so that what another load needs does not slow this one down.
     *
     * @param model what its weights are in
     * @throws IllegalArgumentException if there is no such model, naming it
     */
    Session load(Path model, Size size);

    /**
     * What a session must have room for.
     *
     * @param sequences sequences generated together
     * @param maxTokens tokens of each, prompt and answer
     * @param threads threads that compute
     */
    record Size(int sequences, int maxTokens, int threads) {}

    /**
     * A text to go on from: the same in words and in token ids.
     *
     * @param text empty where only the ids are wanted
     */
    @SuppressWarnings("ArrayRecordComponent") // read and never compared
    record Prompt(String text, int[] tokens) {}

    /** A loaded model. Used by one thread. */
    interface Session extends AutoCloseable {
        /**
         * Generates from all prompts at once, each the same number of tokens, greedily and past any end of text. Computes
         * every prompt anew.
         */
        TokenTimes run(List<Prompt> prompts, int newTokens);

        @Override
        void close();
    }
}
