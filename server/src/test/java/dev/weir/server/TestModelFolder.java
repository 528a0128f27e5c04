package dev.weir.server;

import dev.weir.tokenizer.ByteLevel;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A tokenizer of the 256 bytes (id = byte) and two special tokens, and a chat template, as a model folder holds them. */
final class TestModelFolder {
    static final int EOS = 256;
    static final int TURN = 257;
    static final int VOCABULARY = 258;

    private TestModelFolder() {}

    static Tokenizer tokenizer() {
        return read(Tokenizer::load);
    }

    /** A template that knows functions. */
    static ChatTemplate template() {
        return read(folder -> ChatTemplate.load(folder).orElseThrow());
    }

    /** A template that knows none. */
    static ChatTemplate plainTemplate() {
        return read(folder -> {
            Files.writeString(folder.resolve("chat_template.jinja"), """
                    {%- for message in messages -%}{{- '<|turn|>' + message['role'] + '\\n' + message['content'] -}}{%- endfor -%}
                    """);
            return ChatTemplate.load(folder).orElseThrow();
        });
    }

    private interface Reader<T> {
        T read(Path folder) throws IOException;
    }

    private static <T> T read(Reader<T> reader) {
        try {
            Path folder = Files.createTempDirectory("weir-model");
            try {
                write(folder);
                return reader.read(folder);
            } finally {
                Files.delete(folder.resolve("tokenizer.json"));
                Files.delete(folder.resolve("chat_template.jinja"));
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path folder) throws IOException {
        Files.writeString(folder.resolve("chat_template.jinja"), """
                {%- if tools -%}{{- '<|turn|>tools\\n' + tools | tojson -}}{%- endif -%}
                {%- for message in messages -%}
                    {%- if loop.first and message['role'] == 'assistant' -%}
                        {{- raise_exception('the user speaks first') -}}
                    {%- endif -%}
                    {{- '<|turn|>' + message['role'] + '\\n' + (message['content'] or '') -}}
                    {%- for call in message.tool_calls or [] -%}
                        {{- '<tool_call>\\n' + {'name': call.function.name, 'arguments': call.function.arguments} | tojson -}}
                        {{- '\\n</tool_call>' -}}
                    {%- endfor -%}
                {%- endfor -%}
                {%- if add_generation_prompt -%}{{- '<|turn|>assistant\\n' -}}{%- endif -%}
                """);
        StringBuilder vocabulary = new StringBuilder();
        for (int value = 0; value < 256; value++) {
            String spelled = String.valueOf(ByteLevel.charOf(value));
            if (spelled.equals("\"") || spelled.equals("\\")) {
                spelled = "\\" + spelled;
            }
            vocabulary
                    .append(value == 0 ? "" : ",")
                    .append('"')
                    .append(spelled)
                    .append("\":")
                    .append(value);
        }
        Files.writeString(folder.resolve("tokenizer.json"), """
                {"version":"1.0","truncation":null,"padding":null,
                 "added_tokens":[
                  {"id":256,"content":"<|end|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
                  {"id":257,"content":"<|turn|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
                 "normalizer":null,
                 "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
                 "post_processor":null,
                 "decoder":{"type":"ByteLevel"},
                 "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,
                  "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"vocab":{%s},"merges":[]}}
                """.formatted(vocabulary));
    }
}
