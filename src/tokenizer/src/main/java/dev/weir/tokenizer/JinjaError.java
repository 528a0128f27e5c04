package dev.weir.tokenizer;

/** What a template's author did wrong: a syntax error, or an expression that has no value. Says in which line. */
final class JinjaError extends IllegalArgumentException {
    private final int line;

    /** An error whose line the statement around it knows. */
    JinjaError(String complaint) {
        this(0, complaint);
    }

    JinjaError(int line, String complaint) {
        super(complaint);
        this.line = line;
    }

    /** This error, in a line unless it has one. */
    JinjaError inLine(int enclosing) {
        return line > 0 ? this : new JinjaError(enclosing, getMessage());
    }

    @Override
    public String getMessage() {
        return line > 0 ? "line " + line + ": " + super.getMessage() : String.valueOf(super.getMessage());
    }
}
