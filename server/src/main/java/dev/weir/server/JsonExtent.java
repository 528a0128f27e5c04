package dev.weir.server;

/** Finds where a JSON object ends, character by character. Owned by one thread. */
final class JsonExtent {
    private int depth;
    private boolean isInString;
    private boolean isEscaped;

    /** Takes the next character, the first of which opens the object; whether the object ends with it. */
    boolean endsWith(char next) {
        if (isInString) {
            if (isEscaped) {
                isEscaped = false;
            } else if (next == '\\') {
                isEscaped = true;
            } else if (next == '"') {
                isInString = false;
            }
            return false;
        }
        switch (next) {
            case '"' -> isInString = true;
            case '{', '[' -> depth++;
            case '}', ']' -> depth--;
            default -> {}
        }
        return depth == 0;
    }
}
