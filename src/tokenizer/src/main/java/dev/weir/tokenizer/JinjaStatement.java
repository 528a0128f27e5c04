package dev.weir.tokenizer;

import java.util.List;

/** What a template does: writes something or changes a variable. Immutable; any thread. */
interface JinjaStatement {
    /** Whether the loop around a statement goes on. */
    enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    Flow run(JinjaScope scope, MarkedText.Builder out);

    /** Statements one after another. */
    static JinjaStatement block(List<JinjaStatement> statements) {
        return (scope, out) -> {
            for (JinjaStatement statement : statements) {
                Flow flow = statement.run(scope, out);
                if (flow != Flow.NEXT) {
                    return flow;
                }
            }
            return Flow.NEXT;
        };
    }
}
