package dev.weir.protocol;

/** What a response's output consists of. Immutable; any thread. */
public sealed interface OutputItem permits OutputMessage, FunctionCall {
    /** Its name. */
    String id();

    ResponseStatus status();
}
