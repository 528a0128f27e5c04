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
    private final boolean opensWithRole;
    private final boolean includeUsage;

    ChunkReply(ChunkWriter writer, SseOutlet outlet, boolean opensWithRole, boolean includeUsage) {
        this.writer = writer;
        this.outlet = outlet;
        this.opensWithRole = opensWithRole;
        this.includeUsage = includeUsage;
    }

    @Override
    public void accepted(PreparedPrompt prompt) {
        outlet.open();
        if (opensWithRole) {
            outlet.send(writer.role());
        }
    }

    @Override
    public void text(String delta, List<TokenLogprob> logprobs) {
        outlet.send(writer.text(delta, logprobs));
    }

    @Override
    public void ended(Ending ending, Usage usage) {
        outlet.send(writer.finish(ending.finishReason()));
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
