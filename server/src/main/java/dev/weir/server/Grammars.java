package dev.weir.server;

import dev.weir.grammar.Grammar;
import dev.weir.grammar.TokenTrie;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.OutputFormat;
import dev.weir.protocol.ProtocolException;
import dev.weir.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The grammars of a model's structured outputs, the latest used of them kept: they remember which tokens may follow what. Any
 * thread.
 */
final class Grammars {
    private static final int MOST_KEPT = 32;

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
        Grammar known = kept.get(key);
        if (known == null) {
            known = make(format);
            kept.put(key, known);
        }
        return known;
    }

    private Grammar make(OutputFormat format) {
        try {
            return switch (format) {
                case OutputFormat.JsonObject _ -> Grammar.ofJsonObject(tokens());
                case OutputFormat.Schema schema -> Grammar.ofSchema(tokens(), schema.document());
                case OutputFormat.Regex regex -> Grammar.ofRegex(tokens(), regex.pattern());
                case OutputFormat.Choice choice -> Grammar.ofChoice(tokens(), choice.texts());
            };
        } catch (IllegalArgumentException e) {
            throw new ProtocolException(
                    ApiError.invalid("invalid_value", format.field(), format.field() + ": " + e.getMessage()));
        }
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
