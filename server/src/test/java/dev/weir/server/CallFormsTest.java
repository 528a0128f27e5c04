package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.grammar.CallForm;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CallFormsTest {
    private static final String TOOLS = "{%- for tool in tools or [] %}{{ tool | tojson }}{% endfor -%}";
    private static final String CALLS = """
            {%%- for message in messages %%}{{ message.content or '' }}
            {%%- for call in message.tool_calls or [] -%%}%s{%%- endfor -%%}{%%- endfor -%%}""";
    private static final String TAGGED = """
            {{- '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' + call.function.arguments | tojson + '}\\n</tool_call>' -}}""";
    private static final String BARE =
            "{{- {'name': call.function.name, 'parameters': call.function.arguments} | tojson -}}";

    @TempDir
    Path folder;

    private Optional<CallForm> form(String template, Tokenizer tokenizer) throws IOException {
        Files.writeString(folder.resolve("chat_template.jinja"), template);
        return CallForms.of(ChatTemplate.load(folder).orElseThrow(), tokenizer);
    }

    @Test
    void whatStandsAroundCallsIsFoundInTheTemplate() throws IOException {
        Tokenizer tokenizer = TestModelFolder.tokenizer();
        assertThat(form(TOOLS + CALLS.formatted(TAGGED), tokenizer))
                .contains(new CallForm("<tool_call>\n", "\n", "\n</tool_call>"));
        Path builtIn = Path.of("models/weir-mini");
        assertThat(CallForms.of(ChatTemplate.load(builtIn).orElseThrow(), Tokenizer.load(builtIn)))
                .contains(new CallForm("<tool_call>", "", "</tool_call>"));
    }

    @Test
    void templatesWithoutFunctionsOrWithCallsOfAnotherFormHaveNone() throws IOException {
        Tokenizer tokenizer = TestModelFolder.tokenizer();
        assertThat(form(CALLS.formatted(TAGGED), tokenizer)).as("declares none").isEmpty();
        assertThat(form(TOOLS, tokenizer)).as("writes no calls").isEmpty();
        assertThat(form(TOOLS + CALLS.formatted(BARE), tokenizer))
                .as("no marker")
                .isEmpty();
        assertThat(form("{{ raise_exception('no') }}", tokenizer)).as("refuses").isEmpty();
    }
}
