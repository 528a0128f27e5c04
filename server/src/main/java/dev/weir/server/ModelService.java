package dev.weir.server;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineStats;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import dev.weir.engine.StepOutput;
import dev.weir.grammar.CallForm;
import dev.weir.grammar.Grammar;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.Tools;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.IncrementalDetokenizer;
import dev.weir.tokenizer.Tokenizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/**
 * One model as its clients see it: its name, its text, its defaults and limits, and the engine that runs it. Immutable; any
 * thread. Closing it closes the engine.
 */
final class ModelService implements AutoCloseable {
    private static final int COMPLETION_MAX_TOKENS = 16;

    private final String name;
    private final Tokenizer tokenizer;
    private final ChatPrompts chatPrompts;
    private final GenerationDefaults chatDefaults;
    private final Engine engine;
    private final Grammars grammars;
    private final Heads heads;
    private final long createdAt = System.currentTimeMillis() / 1000;

    /**
     * A model.
     *
     * @param template how conversations are written; null for a model that has none, which then serves completions only
     * @param chatDefaults how the model's maker wants chat answers to be sampled
     */
    ModelService(
            String name,
            Tokenizer tokenizer,
            @Nullable ChatTemplate template,
            GenerationDefaults chatDefaults,
            Engine engine) {
        this(name, tokenizer, template, chatDefaults, engine, Heads.NONE);
    }

    /** A model that says things of whole texts, too; {@code heads} are closed with it. */
    ModelService(
            String name,
            Tokenizer tokenizer,
            @Nullable ChatTemplate template,
            GenerationDefaults chatDefaults,
            Engine engine,
            Heads heads) {
        this.name = name;
        this.tokenizer = tokenizer;
        chatPrompts = new ChatPrompts(name, tokenizer, template);
        this.chatDefaults = chatDefaults;
        this.engine = engine;
        this.heads = heads;
        grammars = new Grammars(
                tokenizer, engine.shape().vocabularySize(), engine.shape().eosTokenIds());
    }

    String name() {
        return name;
    }

    /** Seconds since 1970 at which the model was loaded. */
    long createdAt() {
        return createdAt;
    }

    /** Tokens of prompt and answer together. */
    int maxTokens() {
        return engine.shape().maxTokens();
    }

    EngineStats stats() {
        return engine.stats();
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    /** What the model says of whole texts. */
    Heads heads() {
        return heads;
    }

    /** Refuses a request for another model. */
    void checkName(@Nullable String asked) {
        if (asked != null && !asked.equals(name)) {
            throw new ProtocolException(ApiError.unknownModel(asked, name));
        }
    }

    /** The tokens of a prompt. Takes time in proportion to its length. */
    int[] encode(Ask.Source source) {
        return switch (source) {
            case Ask.Source.Text(String text, String _) -> tokenizer.withFrame(tokenizer.encode(text));
            case Ask.Source.Tokens(int[] ids, String field) -> checked(field, ids);
            case Ask.Source.Conversation(List<ChatMessage> messages, Tools tools, String field) ->
                chatPrompts.encode(messages, tools, true, field);
        };
    }

    /** Makes the grammar of an ask, if it has one, which may take time; it is then at hand for {@link #prepare}. */
    void compile(Ask ask) {
        if (ask.isConstrained()) {
            grammar(ask);
        }
    }

    private @Nullable Grammar grammar(Ask ask) {
        CallForm form = chatPrompts.callForm();
        if (ask.tools().areHeld()) {
            return form == null ? null : grammars.of(ask.tools(), form); // without one the encoder refuses the tools
        }
        return ask.sampling().format() == null
                ? null
                : grammars.of(ask.sampling().format());
    }

    /** What takes an answer apart that may call functions; null for one that is only text. */
    @Nullable
    AnswerParser parser(Ask ask, PreparedPrompt prompt, Reply reply, int choice) {
        CallForm form = chatPrompts.callForm();
        if (form == null || !ask.tools().areOffered()) {
            return null;
        }
        boolean isStopped = !prompt.stop().isEmpty()
                || !prompt.request().sampling().stopTokenIds().isEmpty();
        return new AnswerParser(form, ask.tools(), ask.tools().areHeld() && !isStopped, reply, choice);
    }

    /** Conversations as prompts. */
    ChatPrompts chatPrompts() {
        return chatPrompts;
    }

    /** The text of tokens. */
    String decode(int[] tokens) {
        return tokenizer.decode(checked("tokens", tokens), true);
    }

    /** The text of a prompt, as an answer echoes it. */
    String text(Ask.Source source, int[] tokens) {
        return source instanceof Ask.Source.Text(String text, String _) ? text : tokenizer.decode(tokens, true);
    }

    /** Generations that may run and wait at the same time. */
    int maxInFlight() {
        return engine.maxInFlight();
    }

    /** Fills in the defaults of a tenant's ask with one of its prompts encoded, and holds it against the model's limits. */
    PreparedPrompt prepare(Ask ask, Ask.Source source, String tenant, int[] prompt) {
        SamplingFields sent = ask.sampling();
        boolean isChat = ask.limit() != Ask.LengthLimit.COMPLETION;
        GenerationDefaults defaults = isChat ? chatDefaults : GenerationDefaults.NONE;
        int maxTokens = maxTokens(ask, source.field(), prompt.length);
        boolean writes = ask.limit() != Ask.LengthLimit.NOTHING;
        if (writes && sent.minTokens() > maxTokens) {
            throw new ProtocolException(ApiError.invalid(
                    "integer_above_max_value",
                    "min_tokens",
                    "min_tokens is " + sent.minTokens() + " but the answer has room for only " + maxTokens
                            + " tokens; lower it"));
        }
        checked("stop_token_ids", ints(sent.stopTokenIds()));
        checked("allowed_token_ids", ints(sent.allowedTokenIds()));
        boolean mustCall = ask.tools()
                .mustCall(); // the form of calls says where they end, and what is to end texts may stand in them
        SamplingParams.Builder sampling = SamplingParams.builder(maxTokens)
                .temperature(orElse(sent.temperature(), defaults.temperature()).floatValue())
                .topK(sent.topK() == null ? defaults.topK() : sent.topK())
                .topP(orElse(sent.topP(), defaults.topP()).floatValue())
                .minP(orElse(sent.minP(), 0).floatValue())
                .frequencyPenalty(orElse(sent.frequencyPenalty(), 0).floatValue())
                .presencePenalty(orElse(sent.presencePenalty(), 0).floatValue())
                .repetitionPenalty(orElse(sent.repetitionPenalty(), 1).floatValue())
                .logitBias(biases(sent.logitBias()))
                .badWords(badWords(sent.badWords()))
                .allowedTokenIds(sent.allowedTokenIds())
                .minTokens(writes ? sent.minTokens() : 0)
                .stopTokenIds(mustCall ? List.of() : sent.stopTokenIds())
                .ignoreEos(sent.ignoreEos());
        if (sent.seed() != null) {
            sampling.seed(sent.seed());
        }
        if (sent.logprobs() != null) {
            sampling.logprobs(sent.logprobs());
        } else if (ask.isRanked()) {
            sampling.logprobs(0);
        }
        List<String> stop = new ArrayList<>();
        if (!mustCall) {
            stop.addAll(sent.stop());
            if (!sent.ignoreEos()) {
                stop.addAll(defaults.stopStrings());
            }
        }
        GenerationRequest request = new GenerationRequest(ask.id(), prompt, sampling.build())
                .of(tenant, sent.priority())
                .within(sent.timeLimitMillis() == null ? null : Duration.ofMillis(sent.timeLimitMillis()));
        Grammar grammar = grammar(ask);
        if (grammar != null) {
            request = request.constrained(grammar::constraint);
        }
        return new PreparedPrompt(request, List.copyOf(stop), sent.includeStop());
    }

    /** What turns the tokens of a generation into text. */
    IncrementalDetokenizer detokenizer(PreparedPrompt prompt) {
        return new IncrementalDetokenizer(tokenizer, prompt.stop(), prompt.includeStop(), false);
    }

    /** Where the log-probabilities of a generation wait for their text; null if none are asked for. */
    @Nullable
    PendingLogprobs pendingLogprobs(Ask ask) {
        return ask.sampling().logprobs() != null ? new PendingLogprobs(tokenizer) : null;
    }

    /** Tokens as the engine makes them, from subscription on. */
    Flux<StepOutput> generate(GenerationRequest request) {
        return engine.generate(request);
    }

    @Override
    public void close() {
        heads.close();
        engine.close();
    }

    private int maxTokens(Ask ask, String field, int promptTokens) {
        int left = maxTokens() - promptTokens;
        if (promptTokens == 0) {
            throw new ProtocolException(
                    ApiError.invalid("invalid_value", field, field + " has no tokens; send at least one character"));
        }
        if (left < 1) {
            throw new ProtocolException(ApiError.contextLengthExceeded(
                    field,
                    field + " has " + promptTokens + " tokens but the model's context holds " + maxTokens()
                            + ", of which at least one must be left for the answer; shorten it"));
        }
        Integer asked = ask.sampling().maxTokens();
        if (ask.limit() == Ask.LengthLimit.NOTHING) {
            return 1;
        }
        if (asked == null) {
            return ask.limit() == Ask.LengthLimit.COMPLETION ? Math.min(COMPLETION_MAX_TOKENS, left) : left;
        }
        if (asked > left && ask.limit() != Ask.LengthLimit.RESPONSE) {
            throw new ProtocolException(ApiError.contextLengthExceeded(
                    field,
                    field + " has " + promptTokens + " tokens and " + asked
                            + " more are asked for, but the model's context" + " holds " + maxTokens()
                            + "; shorten it or ask for at most " + left + " tokens"));
        }
        return Math.min(asked, left);
    }

    private Map<Integer, Float> biases(Map<Integer, Double> sent) {
        Map<Integer, Float> biases = new HashMap<>();
        sent.forEach((token, bias) -> {
            if (token >= engine.shape().vocabularySize()) {
                throw new ProtocolException(ApiError.invalid(
                        "invalid_value",
                        "logit_bias",
                        "logit_bias names token " + token + " but the model's token ids go from 0 to "
                                + (engine.shape().vocabularySize() - 1)));
            }
            biases.put(token, bias.floatValue());
        });
        return biases;
    }

    /** The tokens of each word at the beginning of a text and, as vLLM does it, of the same word after a space. */
    private List<List<Integer>> badWords(List<String> words) {
        List<List<Integer>> tokens = new ArrayList<>();
        for (String word : words) {
            String bare = word.stripLeading();
            List<Integer> first = list(tokenizer.encode(bare.isEmpty() ? word : bare));
            List<Integer> inside = list(tokenizer.encode(" " + bare));
            tokens.add(first);
            if (inside.size() == first.size() && !inside.getFirst().equals(first.getFirst())) {
                tokens.add(inside); // else the space is a token of its own, and the word follows it as it stands
            }
        }
        return tokens;
    }

    private static List<Integer> list(int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }

    private static int[] ints(List<Integer> ids) {
        return ids.stream().mapToInt(id -> id).toArray();
    }

    private int[] checked(String field, int[] ids) {
        int vocabulary = engine.shape().vocabularySize();
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] >= vocabulary) {
                throw new ProtocolException(ApiError.invalid(
                        "invalid_value",
                        field + "[" + i + "]",
                        field + "[" + i + "] is " + ids[i] + " but the model's token ids go from 0 to "
                                + (vocabulary - 1)));
            }
        }
        return ids;
    }

    private static Double orElse(@Nullable Double value, double otherwise) {
        return value == null ? otherwise : value;
    }
}
