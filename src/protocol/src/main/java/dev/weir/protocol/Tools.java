package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The functions that a request declares, and whether they are to be called. Immutable; any thread.
 *
 * @param functions with names that differ
 * @param choice whether they are called
 * @param chosen name of the one to call; null unless the choice is {@link Choice#FUNCTION}
 * @param parallelCalls whether one answer may hold several calls
 */
public record Tools(
        List<FunctionTool> functions,
        Choice choice,
        @Nullable String chosen,
        boolean parallelCalls) {
    /** No functions. */
    public static final Tools NONE = new Tools(List.of(), Choice.AUTO, null, true);

    /** Whether functions are called. */
    public enum Choice {
        /** As the model likes. */
        AUTO,
        /** They are not. */
        NONE,
        /** At least one is. */
        REQUIRED,
        /** A certain one is. */
        FUNCTION
    }

    public Tools {
        functions = List.copyOf(functions);
    }

    /** Whether the model is told of them. */
    public boolean areOffered() {
        return !functions.isEmpty() && choice != Choice.NONE;
    }

    /** Whether the answer is a call. */
    public boolean mustCall() {
        return choice == Choice.REQUIRED || choice == Choice.FUNCTION;
    }

    /** Whether the form of calls is enforced while they are written. */
    public boolean areHeld() {
        return areOffered() && (mustCall() || functions.stream().anyMatch(FunctionTool::strict));
    }

    /** Whether an answer may hold several calls. */
    public boolean allowSeveral() {
        return parallelCalls && choice != Choice.FUNCTION;
    }

    /** Those that may be called. */
    public List<FunctionTool> callable() {
        return functions.stream()
                .filter(function -> chosen == null || function.name().equals(chosen))
                .toList();
    }

    /** Whether a function of that name may be called. */
    public boolean allow(String name) {
        return callable().stream().anyMatch(function -> function.name().equals(name));
    }
}
