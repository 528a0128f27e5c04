package dev.weir.engine;

/** A request's own limits, taken together, forbid every token of the vocabulary: the generation cannot go on. */
public final class NoTokenAllowedException extends IllegalArgumentException {
    NoTokenAllowedException(int generatedTokens) {
        super("after " + generatedTokens
                + " tokens of the answer the request's own limits (allowed_token_ids, bad_words,"
                + " min_tokens, structured output) leave no token to choose; relax one of them");
    }
}
