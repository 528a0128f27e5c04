package dev.weir.onnx;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

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
     * @param threads threads that compute; 0 on a GPU
     * @param gpu the number of the GPU that computes; empty for the CPU
     */
    record Size(int sequences, int maxTokens, int threads, OptionalInt gpu) {
        /** On the CPU. */
        public Size(int sequences, int maxTokens, int threads) {
            this(sequences, maxTokens, threads, OptionalInt.empty());
        }
    }

    /**
     * What a step moves between the host and a device, in bytes.
     *
     * @param sent to the device
     * @param fetched from it
     */
    record Traffic(long sent, long fetched) {}

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

        /** What the latest step moved; empty where nothing but the CPU computes. */
        default Optional<Traffic> traffic() {
            return Optional.empty();
        }

        @Override
        void close();
    }
}
