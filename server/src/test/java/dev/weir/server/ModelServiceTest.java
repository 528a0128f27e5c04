package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.Tools;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ModelServiceTest {
    @Test
    void aModelWithoutATemplateEncodesPromptsAndRefusesConversations() {
        Engine engine = Engine.start(new FakeModel(1, 64, 0), EngineConfig.DEFAULT, new Metrics("bare"));
        try (ModelService model =
                new ModelService("bare", TestModelFolder.tokenizer(), null, GenerationDefaults.NONE, engine)) {
            assertThat(model.encode(new Ask.Source.Text("a<|end|>", "prompt"))).hasSize(8);
            assertThatThrownBy(() -> model.chatPrompts()
                            .encode(List.of(new ChatMessage("user", "a")), Tools.NONE, true, "messages"))
                    .isInstanceOf(ProtocolException.class)
                    .hasMessage("messages needs a chat template, which the model \"bare\" does not have;"
                            + " send a prompt to /v1/completions");
        }
    }
}
