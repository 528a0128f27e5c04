package dev.weir.server;

import dev.weir.grammar.CallForm;
import dev.weir.grammar.Grammar;
import dev.weir.grammar.TokenTrie;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.FunctionTool;
import dev.weir.protocol.JsonSchema;
import dev.weir.protocol.OutputFormat;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.Tools;
import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The grammars of a model's structured outputs and calls, the latest used of them kept: they remember which tokens may follow what. Any
 * thread.
 */
final class Grammars {
    private static final int MOST_KEPT = 32;
    private static final JsonSchema.Document ANY_OBJECT =
            new JsonSchema.Document(new JsonSchema.Entries(new JsonSchema.Any(), 0, JsonSchema.UNLIMITED), Map.of());

    private final Tokenizer tokenizer;
    private final int vocabularySize;
    private final int[] endTokens;

    private @Nullable TokenTrie tokens;

    private final Map<List<String>, Grammar> kept = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<List<String>, Grammar> eldest) {
            return size() > MOST_KEPT;
        }
    };

    Grammars(Tokenizer tokenizer, int vocabularySize, int[] endTokens) {
        this.tokenizer = tokenizer;
        this.vocabularySize = vocabularySize;
        this.endTokens = endTokens;
    }

    /** The grammar of a format. */
    synchronized Grammar of(OutputFormat format) {
        List<String> key = switch (format) {
            case OutputFormat.JsonObject _ -> List.of("object");
            case OutputFormat.Schema schema -> List.of("schema", schema.json());
            case OutputFormat.Regex regex -> List.of("regex", regex.pattern());
            case OutputFormat.Choice choice ->
                Stream.concat(Stream.of("choice"), choice.texts().stream()).toList();
        };
        return of(key, format.field(), () -> switch (format) {
            case OutputFormat.JsonObject _ -> Grammar.ofJsonObject(tokens());
            case OutputFormat.Schema schema -> Grammar.ofSchema(tokens(), schema.document());
            case OutputFormat.Regex regex -> Grammar.ofRegex(tokens(), regex.pattern());
            case OutputFormat.Choice choice -> Grammar.ofChoice(tokens(), choice.texts());
        });
    }

    /** The grammar of an answer that calls functions, or may. */
    synchronized Grammar of(Tools tools, CallForm form) {
        boolean several = tools.allowSeveral();
        Map<String, JsonSchema.Document> functions = new LinkedHashMap<>();
        List<String> key = new ArrayList<>(List.of(tools.mustCall() ? "calls" : "text, then calls", "" + several));
        for (FunctionTool function : tools.callable()) {
            JsonSchema.Document arguments = function.arguments();
            functions.put(function.name(), arguments == null ? ANY_OBJECT : arguments);
            key.add(function.name());
            key.add(arguments == null ? "any" : String.valueOf(function.parameters()));
        }
        return of(
                key,
                "tools",
                () -> tools.mustCall()
                        ? Grammar.ofCalls(tokens(), form, functions, several)
                        : Grammar.ofTextThenCalls(tokens(), form, functions, several));
    }

    private Grammar of(List<String> key, String field, Supplier<Grammar> maker) {
        Grammar known = kept.get(key);
        if (known == null) {
            try {
                known = maker.get();
            } catch (IllegalArgumentException e) {
                throw new ProtocolException(ApiError.invalid("invalid_value", field, field + ": " + e.getMessage()));
            }
            kept.put(key, known);
        }
        return known;
    }

    private TokenTrie tokens() {
        TokenTrie made = tokens;
        if (made == null) {
            made = new TokenTrie(
                    vocabularySize,
                    id -> id >= tokenizer.vocabularySize() || tokenizer.isSpecial(id)
                            ? new byte[0]
                            : tokenizer.bytes(id),
                    endTokens);
            tokens = made;
        }
        return made;
    }
}
