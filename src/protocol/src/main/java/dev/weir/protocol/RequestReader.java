package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads requests and client events from JSON: a typed value, or a {@link ProtocolException} that names the field, its
 * value and the remedy. Fields that nobody knows are ignored, as clients of the OpenAI API expect; known ones that are not
 * served are refused ({@link Unsupported}). Any thread.
 */
public final class RequestReader {
    private static final String NAME = "[A-Za-z0-9_.-]{1,256}";
    private static final String CLIENT_EVENTS = "response.create, response.cancel, response.resume or response.steer";

    static final String LOGPROBS_INCLUDED = "message.output_text.logprobs";
    private static final int MAX_LOGPROBS = 20;
    private static final int MAX_ANSWERS = 128;
    /** As many as OpenAI takes for embeddings. */
    private static final int MAX_TEXTS = 2048;

    /** As many as OpenAI takes at a time for a conversation. */
    private static final int MAX_ITEMS = 20;

    private static final String LOGPROBS_RANGE = "from 0 to 20";

    private RequestReader() {}

    /** {@code POST /v1/completions}. */
    public static CompletionRequest completion(String json) {
        return completion(Json.parseObject(json));
    }

    static CompletionRequest completion(Fields fields) {
        Unsupported.refuseInCompletions(fields);
        boolean stream = fields.flag("stream", false);
        int n = answers(fields, "n", 1);
        Long logprobs = fields.integer("logprobs", 0, MAX_LOGPROBS, LOGPROBS_RANGE);
        return new CompletionRequest(
                fields.string("model"),
                prompts(fields, "prompt", "send the text or the token ids to continue"),
                sampling(fields, logprobs, "max_tokens"),
                n,
                bestOf(fields, n, stream),
                echo(fields, logprobs != null),
                stream,
                includeUsage(fields, stream));
    }

    /** {@code POST /v1/chat/completions}. */
    public static ChatCompletionRequest chatCompletion(String json) {
        return chatCompletion(Json.parseObject(json));
    }

    static ChatCompletionRequest chatCompletion(Fields fields) {
        Unsupported.refuseInChatCompletions(fields);
        boolean stream = fields.flag("stream", false);
        SamplingFields sampling = sampling(
                fields,
                topLogprobs(fields, fields.flag("logprobs", false), "logprobs is not true; set it"),
                "max_completion_tokens",
                "max_tokens");
        return new ChatCompletionRequest(
                fields.string("model"),
                MessageReader.messages(fields, "messages"),
                sampling,
                tools(fields, sampling, true),
                answers(fields, "n", 1),
                stream,
                includeUsage(fields, stream));
    }

    /** {@code POST /v1/responses}. */
    public static ResponseRequest response(String json) {
        return response(Json.parseObject(json));
    }

    /** An event on the WebSocket. */
    public static ClientEvent clientEvent(String json) {
        return clientEvent(Json.parseObject(json));
    }

    static ClientEvent clientEvent(Fields fields) {
        String type = fields.requiredString("type", "send " + CLIENT_EVENTS);
        String eventId = checkedName(fields, "event_id");
        String streamId = checkedName(fields, "stream_id");
        return switch (type) {
            case "response.create" -> new ClientEvent.Create(eventId, streamId, response(fields));
            case "response.cancel" -> new ClientEvent.Cancel(eventId, streamId, fields.string("response_id"));
            case "response.resume" ->
                new ClientEvent.Resume(
                        eventId,
                        streamId,
                        fields.requiredString("response_id", "name the response to go on with"),
                        startingAfter(fields));
            case "response.steer" ->
                new ClientEvent.Steer(
                        eventId,
                        streamId,
                        fields.requiredString("previous_response_id", "name the response to steer"),
                        fields.required("input", "send what the response is to take in")
                                .toString());
            default -> throw fields.wrongValue("type", type, CLIENT_EVENTS);
        };
    }

    /** The {@code event_id} and {@code stream_id} of an event that could not be served, as far as they are valid. */
    public static Origin origin(String json) {
        try {
            Fields fields = Json.parseObject(json);
            return new Origin(name(fields, "event_id"), name(fields, "stream_id"));
        } catch (ProtocolException _) {
            return Origin.UNKNOWN;
        }
    }

    /** {@code starting_after} of a URL: the number of the last event that arrived, -1 if it is not given. */
    public static int startingAfter(@Nullable String parameter) {
        if (parameter == null) {
            return -1;
        }
        if (!parameter.matches("\\d{1,9}")) {
            throw ProtocolException.invalid(
                    "invalid_value",
                    "starting_after",
                    "starting_after is \"" + Json.abbreviate(parameter)
                            + "\" but must be the sequence_number of an event, 0 or more");
        }
        return Integer.parseInt(parameter);
    }

    private static int startingAfter(Fields fields) {
        Integer number =
                fields.smallInteger("starting_after", -1, "of -1 or more: that of the last event that arrived");
        return number == null ? -1 : number;
    }

    private static @Nullable String checkedName(Fields fields, String field) {
        String name = fields.string(field);
        if (name != null && !name.matches(NAME)) {
            throw fields.wrongValue(field, name, "1 to 256 letters, digits, \"_\", \".\" or \"-\"");
        }
        return name;
    }

    private static @Nullable String name(Fields fields, String field) {
        JsonNode value = fields.value(field);
        String name = value == null ? null : value.textValue();
        return name != null && name.matches(NAME) ? name : null;
    }

    /**
     * Where an event came from.
     *
     * @param eventId the client's name for it; may be null
     * @param streamId its lane; null is the default lane
     */
    public record Origin(@Nullable String eventId, @Nullable String streamId) {
        /** Nothing is known. */
        public static final Origin UNKNOWN = new Origin(null, null);
    }

    /** {@code POST /tokenize}. */
    public static TokenizeRequest tokenize(String json) {
        return tokenize(Json.parseObject(json));
    }

    static TokenizeRequest tokenize(Fields fields) {
        String prompt = fields.string("prompt");
        List<ChatMessage> messages = fields.has("messages") ? MessageReader.messages(fields, "messages") : List.of();
        if ((prompt == null) == messages.isEmpty()) {
            throw ProtocolException.invalid(
                    "missing_required_parameter",
                    "prompt",
                    (prompt == null ? "neither prompt nor messages is" : "prompt and messages are both")
                            + " given; send one of them");
        }
        return new TokenizeRequest(
                fields.string("model"),
                prompt,
                messages,
                ToolsReader.read(fields, true),
                fields.flag("add_special_tokens", true),
                fields.flag("add_generation_prompt", true),
                fields.flag("return_token_strs", false));
    }

    /** {@code POST /detokenize}. */
    public static DetokenizeRequest detokenize(String json) {
        return detokenize(Json.parseObject(json));
    }

    static DetokenizeRequest detokenize(Fields fields) {
        JsonNode tokens = fields.required("tokens", "send a list of token ids");
        if (!tokens.isArray()) {
            throw fields.wrongType("tokens", tokens, "a list of token ids");
        }
        return new DetokenizeRequest(fields.string("model"), fields.tokenIds("tokens", tokens));
    }

    /** {@code POST /v1/classify}. */
    public static ClassifyRequest classify(String json) {
        return classify(Json.parseObject(json));
    }

    static ClassifyRequest classify(Fields fields) {
        Unsupported.refuseOfTexts(fields);
        JsonNode input = fields.required("input", "send a text or a list of texts");
        List<String> texts = new ArrayList<>();
        if (input.isArray()) {
            fields.atMost("input", input, MAX_TEXTS);
            for (JsonNode element : input) {
                texts.add(text(fields, "input[" + texts.size() + "]", element));
            }
        } else {
            texts.add(text(fields, "input", input));
        }
        if (texts.isEmpty()) {
            throw fields.empty("input", "send at least one text");
        }
        return new ClassifyRequest(fields.string("model"), texts);
    }

    private static String text(Fields fields, String name, JsonNode text) {
        if (!text.isTextual()) {
            throw fields.wrongType(name, text, name.equals("input") ? "a text or a list of texts" : "a text");
        }
        if (text.textValue().isEmpty()) {
            throw fields.empty(name, "send at least one character");
        }
        return text.textValue();
    }

    /** {@code POST /v1/embeddings}. */
    public static EmbeddingRequest embedding(String json) {
        return embedding(Json.parseObject(json));
    }

    static EmbeddingRequest embedding(Fields fields) {
        Unsupported.refuseOfTexts(fields);
        String remedy = "send a text, token ids or a list of these";
        JsonNode value = fields.required("input", remedy);
        List<Prompt> input = prompts(fields, "input", remedy);
        if (input.size() > 1) {
            fields.atMost("input", value, MAX_TEXTS);
        }
        String format = fields.string("encoding_format");
        if (format != null && !format.equals("float") && !format.equals("base64")) {
            throw fields.wrongValue("encoding_format", format, "float or base64");
        }
        return new EmbeddingRequest(
                fields.string("model"),
                input,
                "base64".equals(format),
                fields.smallInteger("dimensions", 1, "of 1 or more"));
    }

    /** {@code POST /v1/conversations}. */
    public static ConversationRequest conversation(String json) {
        return conversation(Json.parseObject(json));
    }

    static ConversationRequest conversation(Fields fields) {
        JsonNode items = fields.value("items");
        boolean isEmpty = items == null || (items.isArray() && items.isEmpty());
        return new ConversationRequest(isEmpty ? List.of() : items(fields), fields.stringMap("metadata"));
    }

    /** {@code POST /v1/conversations/{id}}: the notes that replace the ones there. */
    public static Map<String, String> conversationUpdate(String json) {
        return conversationUpdate(Json.parseObject(json));
    }

    static Map<String, String> conversationUpdate(Fields fields) {
        fields.required("metadata", "send an object of texts; an empty one forgets them");
        return fields.stringMap("metadata");
    }

    /** {@code POST /v1/conversations/{id}/items}: what is to be added. */
    public static List<ChatMessage> conversationItems(String json) {
        return items(Json.parseObject(json));
    }

    static List<ChatMessage> items(Fields fields) {
        fields.atMost("items", fields.required("items", "send at least one item"), MAX_ITEMS);
        return MessageReader.items(fields, "items");
    }

    /** The name of a conversation: a text, or an object that has it. */
    static @Nullable String conversationId(Fields fields) {
        JsonNode value = fields.value("conversation");
        if (value == null || value.isTextual()) {
            return fields.string("conversation");
        }
        if (!value.isObject()) {
            throw fields.wrongType("conversation", value, "the id of a conversation or an object that has it");
        }
        Fields conversation = fields.object("conversation");
        return conversation == null ? null : conversation.requiredString("id", "send the id of a conversation");
    }

    static ResponseRequest response(Fields fields) {
        Unsupported.refuseInResponses(fields);
        SamplingFields sampling = sampling(
                fields,
                topLogprobs(
                        fields,
                        includesLogprobs(fields),
                        "include does not hold \"" + LOGPROBS_INCLUDED + "\"; add it"),
                "max_output_tokens");
        String previousResponseId = fields.string("previous_response_id");
        String conversation = conversationId(fields);
        if (previousResponseId != null && conversation != null) {
            throw ProtocolException.invalid(
                    "invalid_value",
                    "conversation",
                    "conversation and previous_response_id are both given, but an answer goes on from one of them;"
                            + " leave the other out");
        }
        return new ResponseRequest(
                fields.string("model"),
                MessageReader.input(fields),
                fields.string("instructions"),
                sampling,
                tools(fields, sampling, false),
                fields.flag("stream", false),
                fields.stringMap("metadata"),
                previousResponseId,
                conversation,
                fields.flag("store", true),
                fields.flag("generate", true));
    }

    /** An answer that is text or a call, as the model likes, cannot be held to a format too. */
    private static Tools tools(Fields fields, SamplingFields sampling, boolean isNested) {
        Tools tools = ToolsReader.read(fields, isNested);
        OutputFormat format = sampling.format();
        if (format != null && tools.areOffered() && !tools.mustCall()) {
            throw ProtocolException.invalid(
                    "unsupported_parameter",
                    format.field(),
                    format.field()
                            + " is sent beside tools that the model may call or not, which this server does not"
                            + " support; set tool_choice to none or required, or leave one of them out");
        }
        return tools;
    }

    private static SamplingFields sampling(Fields fields, @Nullable Long logprobs, String... maxNames) {
        SamplingFields sampling = SamplingFields.read(fields, maxNames);
        return logprobs == null
                ? sampling
                : sampling.toBuilder().logprobs(logprobs.intValue()).build();
    }

    /** {@code top_logprobs} where another field says whether any are wanted; {@code remedy} is for when it does not. */
    private static @Nullable Long topLogprobs(Fields fields, boolean isWanted, String remedy) {
        Long top = fields.integer("top_logprobs", 0, MAX_LOGPROBS, LOGPROBS_RANGE);
        if (!isWanted && top != null && top > 0) {
            throw ProtocolException.invalid(
                    "invalid_value", "top_logprobs", "top_logprobs is " + top + " but " + remedy);
        }
        return isWanted ? Long.valueOf(top == null ? 0 : top) : null;
    }

    private static boolean includesLogprobs(Fields fields) {
        JsonNode include = fields.value("include");
        if (include != null) {
            for (JsonNode wanted : include) {
                if (LOGPROBS_INCLUDED.equals(wanted.textValue())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static int answers(Fields fields, String name, int ifAbsent) {
        Long value = fields.integer(name, 1, MAX_ANSWERS, "from 1 to " + MAX_ANSWERS);
        return value == null ? ifAbsent : value.intValue();
    }

    private static int bestOf(Fields fields, int n, boolean stream) {
        int bestOf = answers(fields, "best_of", n);
        if (bestOf < n) {
            throw ProtocolException.invalid(
                    "integer_below_min_value",
                    "best_of",
                    "best_of is " + bestOf + " but must be a number from n, which is " + n + ", to " + MAX_ANSWERS);
        }
        if (bestOf > n && stream) {
            throw ProtocolException.invalid(
                    "invalid_value",
                    "best_of",
                    "best_of is " + bestOf
                            + " but the best of several answers cannot be streamed; set stream to false or"
                            + " leave best_of out");
        }
        return bestOf;
    }

    private static boolean echo(Fields fields, boolean hasLogprobs) {
        boolean echo = fields.flag("echo", false);
        if (echo && hasLogprobs) {
            throw ProtocolException.invalid(
                    "unsupported_parameter",
                    "echo",
                    "echo is true together with logprobs, which this server does not support; leave one of them out");
        }
        return echo;
    }

    private static List<Prompt> prompts(Fields fields, String name, String remedy) {
        JsonNode value = fields.required(name, remedy);
        if (!value.isArray() || value.path(0).isNumber()) {
            return List.of(prompt(fields, name, value));
        }
        if (value.isEmpty()) {
            throw fields.empty(name, "send a string or at least one token id");
        }
        List<Prompt> prompts = new ArrayList<>(value.size());
        for (JsonNode element : value) {
            prompts.add(prompt(fields, name + "[" + prompts.size() + "]", element));
        }
        return prompts;
    }

    private static Prompt prompt(Fields fields, String name, JsonNode prompt) {
        if (prompt.isTextual()) {
            if (prompt.textValue().isEmpty()) {
                throw fields.empty(name, "send at least one character");
            }
            return new Prompt.Text(prompt.textValue());
        }
        if (!prompt.isArray()) {
            throw fields.wrongType(name, prompt, "a string or a list of token ids");
        }
        if (prompt.isEmpty()) {
            throw fields.empty(name, "send at least one token id");
        }
        return new Prompt.Tokens(fields.tokenIds(name, prompt));
    }

    private static boolean includeUsage(Fields fields, boolean stream) {
        Fields options = fields.object("stream_options");
        if (options == null) {
            return false;
        }
        if (!stream) {
            throw ProtocolException.invalid(
                    "invalid_value",
                    "stream_options",
                    "stream_options is set but stream is not true; set stream to true or leave stream_options out");
        }
        return options.flag("include_usage", false);
    }
}
