package dev.weir.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * How an exported model is sampled when a request does not say. Immutable; any thread.
 *
 * @param temperature 0, for the likeliest token every time, to 2; null for what would be there without
 * @param topP share of the probability that the tokens drawn from hold, above 0 and at most 1; null likewise
 */
record SamplingDefaults(
        @Nullable Double temperature, @Nullable Double topP) {
    static final SamplingDefaults NONE = new SamplingDefaults(null, null);

    SamplingDefaults {
        if (temperature != null && !(temperature >= 0 && temperature <= 2)) {
            throw new UserError("--temperature is " + temperature + ": it must be from 0 to 2");
        }
        if (topP != null && !(topP > 0 && topP <= 1)) {
            throw new UserError("--top-p is " + topP + ": it must be above 0 and at most 1");
        }
    }

    boolean isEmpty() {
        return temperature == null && topP == null;
    }

    /** Sets them in the {@code search} of a {@code genai_config.json}, or in a {@code generation_config.json}. */
    void writeTo(ObjectNode search) {
        if (temperature != null) {
            // No library divides by a temperature of zero: it is said in another field.
            boolean samples = temperature > 0;
            search.put("do_sample", samples).put("temperature", samples ? temperature : 1.0);
        }
        if (topP != null) {
            search.put("top_p", topP);
        }
    }

    @Override
    public String toString() {
        StringJoiner parts = new StringJoiner(", ");
        if (temperature != null) {
            parts.add("temperature " + temperature);
        }
        if (topP != null) {
            parts.add("top_p " + topP);
        }
        return parts.toString();
    }
}
