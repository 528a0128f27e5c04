package dev.weir.train;

import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Function;

/** The weights of one GPT by their Hugging Face names. Any thread may read them. */
interface GptWeights {
    GptConfig config();

    /** What the model computes beside the next token's logits, if it was fine-tuned for a task. */
    default Optional<TaskHead> head() {
        return Optional.empty();
    }

    /** What is learned beside the matrices instead of them, if anything is. */
    default Optional<Lora> lora() {
        return Optional.empty();
    }

    /** Every weight's name with its shape: the config's, then the head's, then what is learned beside the matrices. */
    default SequencedMap<String, long[]> tensorShapes() {
        SequencedMap<String, long[]> shapes = config().tensorShapes();
        head().ifPresent(head -> shapes.putAll(head.tensorShapes(config().width())));
        lora().ifPresent(lora -> shapes.putAll(lora.tensorShapes(config())));
        return shapes;
    }

    /**
     * A copy of one tensor, row-major float32. The caller may change it.
     *
     * @throws IllegalArgumentException if the model has no tensor of that name
     */
    float[] tensor(String name);

    /** Weights by name from anywhere, for a model of that shape. */
    static GptWeights of(GptConfig config, Function<String, float[]> tensors) {
        return of(config, Optional.empty(), tensors);
    }

    /** Weights by name from anywhere, for a model of that shape with that head. */
    static GptWeights of(GptConfig config, Optional<TaskHead> head, Function<String, float[]> tensors) {
        return of(config, head, Optional.empty(), tensors);
    }

    /** A model like this one with other values in its tensors. */
    default GptWeights withTensors(Function<String, float[]> tensors) {
        return of(config(), head(), lora(), tensors);
    }

    /** Weights by name from anywhere, for a model with all that. */
    static GptWeights of(
            GptConfig config, Optional<TaskHead> head, Optional<Lora> lora, Function<String, float[]> tensors) {
        return new GptWeights() {
            @Override
            public GptConfig config() {
                return config;
            }

            @Override
            public Optional<TaskHead> head() {
                return head;
            }

            @Override
            public Optional<Lora> lora() {
                return lora;
            }

            @Override
            public float[] tensor(String name) {
                return tensors.apply(name);
            }
        };
    }
}
