package dev.weir.grammar;

/**
 * How a model writes calls of functions: {@code open {"name": ..., "arguments": {...}} close}. Immutable; any thread.
 *
 * @param open what stands before a call: a marker, then possibly white space
 * @param between what stands between two calls, possibly nothing
 * @param close what stands after a call
 */
public record CallForm(String open, String between, String close) {
    /** What tells a call from other text. */
    public String marker() {
        return open.strip();
    }
}
