package dev.weir.loadtest;

import org.jspecify.annotations.Nullable;

/**
 * The order of the chunks of one chat or completions answer: text until one finish reason, then at most chunks without
 * text (the usage). Owner: one connection.
 */
final class ChunkCheck implements StreamCheck {

    private boolean isFinished;

    @Override
    public void begin() {
        isFinished = false;
    }

    @Override
    public @Nullable String accept(StreamEvent event) {
        if (event.kind == StreamEvent.Kind.ERROR) {
            return null;
        }
        if (isFinished && event.text.length() > 0) {
            return "text after the chunk with the finish_reason";
        }
        if (event.finishReason != null) {
            if (isFinished) {
                return "a second finish_reason";
            }
            isFinished = true;
        }
        return null;
    }

    boolean isFinished() {
        return isFinished;
    }
}
