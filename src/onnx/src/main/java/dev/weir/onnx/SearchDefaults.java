package dev.weir.onnx;

/**
 * How the model's maker wants tokens to be chosen when a request does not say: the {@code search} section of
 * {@code genai_config.json}. Immutable; any thread.
 *
 * @param doSample false means greedy decoding whatever the other values say
 */
public record SearchDefaults(boolean doSample, double temperature, int topK, double topP) {}
