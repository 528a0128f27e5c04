package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChunkWriter;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import java.util.List;

/** The chunks of a streamed completion or chat completion. Owned by the context of its connection. */
final class ChunkReply implements Reply {
    private final ChunkWriter writer;
    private final SseOutlet outlet;
    /** Calls so far in each answer of a chat. */
    private final int[] calls;

    private final boolean includeUsage;

    /** A reply; {@code roles} answers open with the role of who speaks, none in a completion. */
    ChunkReply(ChunkWriter writer, SseOutlet outlet, int roles, boolean includeUsage) {
        this.writer = writer;
        this.outlet = outlet;
        calls = new int[roles];
        this.includeUsage = includeUsage;
    }

    @Override
    public void accepted(List<PreparedPrompt> prompts) {
        outlet.open();
        for (int choice = 0; choice < calls.length; choice++) {
            outlet.send(writer.role(choice));
        }
    }

    @Override
    public void text(int choice, String delta, List<TokenLogprob> logprobs) {
        outlet.send(writer.text(choice, delta, logprobs));
    }

    @Override
    public void callBegun(int choice, String id, String name) {
        outlet.send(writer.call(choice, calls[choice]++, id, name));
    }

    @Override
    public void callArguments(int choice, String delta) {
        outlet.send(writer.arguments(choice, calls[choice] - 1, delta));
    }

    @Override
    public void callEnded(int choice) {}

    @Override
    public void choiceEnded(int choice, Ending ending, double meanLogprob) {
        boolean hasCalls = choice < calls.length && calls[choice] > 0;
        outlet.send(writer.finish(choice, ending.finishReason(hasCalls)));
    }

    @Override
    public void ended(Usage usage) {
        if (includeUsage) {
            outlet.send(writer.usage(usage));
        }
        outlet.send(ChunkWriter.DONE);
        outlet.close();
    }

    @Override
    public void refused(ApiError error, long retryAfterSeconds) {
        outlet.refuse(error, retryAfterSeconds);
    }

    @Override
    public void failed(ApiError error) {
        outlet.send(error.toJson());
        outlet.send(ChunkWriter.DONE);
        outlet.close();
    }

    @Override
    public boolean isFull() {
        return outlet.isFull();
    }
}
