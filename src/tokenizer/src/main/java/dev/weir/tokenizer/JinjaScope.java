package dev.weir.tokenizer;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables of one block of a template while it is rendered, inside those of the block around it. Owned by one rendering. */
final class JinjaScope {
    /** Rounds of loops and calls of macros that a rendering may take; a template that takes more is broken. */
    private static final int MAX_STEPS = 200_000;

    private final Map<String, Object> variables;
    private final @Nullable JinjaScope outer;
    private final int[] steps; // one counter for all scopes of a rendering

    /** The outermost scope. */
    JinjaScope(Map<String, Object> variables) {
        this(new HashMap<>(variables), null, new int[1]);
    }

    private JinjaScope(Map<String, Object> variables, @Nullable JinjaScope outer, int[] steps) {
        this.variables = variables;
        this.outer = outer;
        this.steps = steps;
    }

    /** A scope whose variables are forgotten at its end. */
    JinjaScope inner() {
        if (++steps[0] > MAX_STEPS) {
            throw new JinjaError("the template does not come to an end within " + MAX_STEPS + " steps");
        }
        return new JinjaScope(new HashMap<>(), this, steps);
    }

    Object get(String name) {
        for (JinjaScope scope = this; scope != null; scope = scope.outer) {
            Object value = scope.variables.get(name);
            if (value != null) {
                return value;
            }
        }
        return new Python.Undefined("\"" + name + "\" is undefined");
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }
}
