package dev.weir.protocol;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * One method of one path of the HTTP API, as its description names it. Immutable; any thread.
 *
 * @param method in lower case
 * @param path with parameters in braces
 * @param id what generated clients call it
 * @param summary what it does
 * @param isClosed whether it is for holders of an API key, where the server asks for one
 * @param parameters of path and query
 * @param request schema of the body; null for none
 * @param replies what it answers if all is well, by status
 */
record Operation(
        String method,
        String path,
        String id,
        String summary,
        boolean isClosed,
        List<Parameter> parameters,
        @Nullable String request,
        SequencedMap<String, Reply> replies) {
    private static final String JSON = "application/json";
    private static final String EVENTS = "text/event-stream";
    private static final Parameter ID = new Parameter("id", true, "string", "The name of the response, resp_...");
    private static final Parameter CONVERSATION =
            new Parameter("id", true, "string", "The name of the conversation, conv_...");
    private static final Parameter ITEM = new Parameter("item", true, "string", "The name of the item.");
    private static final Parameter ORDER =
            new Parameter("order", false, "string", "asc, or desc for the newest first: the default.");
    private static final Parameter LIMIT =
            new Parameter("limit", false, "integer", "How many, 1 to 100; 20 unless given.");
    private static final Parameter AFTER =
            new Parameter("after", false, "string", "The id of the item after which to begin.");

    static final List<Operation> ALL = List.of(
            post("/v1/chat/completions", "createChatCompletion", "Answers a conversation.", "ChatCompletionRequest")
                    .streams("ChatCompletion", "ChatCompletionChunk", "chunks, the last followed by [DONE]"),
            post("/v1/completions", "createCompletion", "Continues prompts.", "CompletionRequest")
                    .streams("Completion", "CompletionChunk", "chunks, the last followed by [DONE]"),
            post("/v1/responses", "createResponse", "Answers a conversation and keeps the answer.", "ResponseRequest")
                    .streams("Response", "ServerEvent", "events, each with its number"),
            get(
                            "/v1/responses",
                            "openResponses",
                            "Opens a WebSocket: each text message of the client is a ClientEvent,"
                                    + " each of the server a ServerEvent. Browsers send the API key as the subprotocol"
                                    + " openai-insecure-api-key.KEY, beside realtime.")
                    .replies("101", new Reply("The WebSocket is open.", Map.of())),
            get("/v1/responses/{id}", "getResponse", "A response by its name; while it runs, too.")
                    .takes(
                            ID,
                            new Parameter("stream", false, "boolean", "Whether to send the response's events."),
                            new Parameter(
                                    "starting_after",
                                    false,
                                    "integer",
                                    "With stream: the number of the last event that arrived."))
                    .streams("Response", "ServerEvent", "the events after that number, then those to come"),
            delete("/v1/responses/{id}", "deleteResponse", "Forgets a response, and ends one that runs.")
                    .takes(ID)
                    .answers("DeletedResponse"),
            new Operation("post", "/v1/responses/{id}/cancel", "cancelResponse", "Ends a response that runs.")
                    .takes(ID)
                    .answers("Response"),
            get("/v1/responses/{id}/input_items", "listInputItems", "The response's own input.")
                    .takes(ID, ORDER, LIMIT, AFTER)
                    .answers("ItemList"),
            post(
                            "/v1/conversations",
                            "createConversation",
                            "Begins a conversation to which responses are added.",
                            "ConversationRequest")
                    .answers("Conversation"),
            get("/v1/conversations/{id}", "getConversation", "A conversation by its name.")
                    .takes(CONVERSATION)
                    .answers("Conversation"),
            post(
                            "/v1/conversations/{id}",
                            "updateConversation",
                            "Writes other notes on a conversation.",
                            "ConversationUpdate")
                    .takes(CONVERSATION)
                    .answers("Conversation"),
            delete("/v1/conversations/{id}", "deleteConversation", "Forgets a conversation; its responses stay.")
                    .takes(CONVERSATION)
                    .answers("DeletedConversation"),
            get("/v1/conversations/{id}/items", "listConversationItems", "What was said in a conversation.")
                    .takes(CONVERSATION, ORDER, LIMIT, AFTER)
                    .answers("ItemList"),
            post(
                            "/v1/conversations/{id}/items",
                            "createConversationItems",
                            "Adds to a conversation.",
                            "ConversationItems")
                    .takes(CONVERSATION)
                    .answers("ItemList"),
            get("/v1/conversations/{id}/items/{item}", "getConversationItem", "An item of a conversation.")
                    .takes(CONVERSATION, ITEM)
                    .answers("ConversationItem"),
            delete(
                            "/v1/conversations/{id}/items/{item}",
                            "deleteConversationItem",
                            "Takes an item out of a conversation.")
                    .takes(CONVERSATION, ITEM)
                    .answers("Conversation"),
            get("/v1/models", "listModels", "The model that is served.").answers("ModelList"),
            get("/v1/models/{id}", "getModel", "The model by its name.")
                    .takes(new Parameter("id", true, "string", "The name of the model."))
                    .answers("Model"),
            post(
                            "/v1/embeddings",
                            "createEmbedding",
                            "Embeddings of texts, where the model's folder has a graph for them.",
                            "EmbeddingRequest")
                    .answers("EmbeddingList"),
            post(
                            "/v1/classify",
                            "classify",
                            "The labels of texts, in vLLM's shape, where the model has a head.",
                            "ClassifyRequest")
                    .answers("Classification"),
            post("/tokenize", "tokenize", "The tokens of a text or a conversation.", "TokenizeRequest")
                    .answers("Tokens"),
            post("/detokenize", "detokenize", "The text of tokens.", "DetokenizeRequest")
                    .answers("Text"),
            get("/health", "health", "Whether the engine is well.").healthy(),
            get("/health/live", "live", "Whether the process answers.").healthy(),
            get("/health/ready", "ready", "Whether requests are admitted.").healthy(),
            get("/metrics", "metrics", "Prometheus's metrics, under vLLM's names.")
                    .open()
                    .replies("200", new Reply("The metrics.", Map.of("text/plain", "string"))),
            get("/openapi.json", "openapi", "This document.").open().replies("200", said("object")));

    /**
     * @param type of its value
     * @param description what it says
     */
    record Parameter(String name, boolean isInPath, String type, String description) {}

    /**
     * @param description what it means
     * @param content the schema of each content type, or a JSON type
     */
    record Reply(String description, Map<String, String> content) {}

    private Operation(String method, String path, String id, String summary) {
        this(method, path, id, summary, true, List.of(), null, new LinkedHashMap<>());
    }

    private static Operation get(String path, String id, String summary) {
        return new Operation("get", path, id, summary);
    }

    private static Operation delete(String path, String id, String summary) {
        return new Operation("delete", path, id, summary);
    }

    private static Operation post(String path, String id, String summary, String request) {
        return new Operation("post", path, id, summary, true, List.of(), request, new LinkedHashMap<>());
    }

    private static Reply said(String schema) {
        return new Reply("The answer.", Map.of(JSON, schema));
    }

    private Operation open() {
        return new Operation(method, path, id, summary, false, parameters, request, replies);
    }

    private Operation healthy() {
        return open().replies("200", new Reply("It is so.", Map.of(JSON, "object")))
                .replies("503", new Reply("It is not.", Map.of(JSON, "object")));
    }

    private Operation takes(Parameter... all) {
        return new Operation(method, path, id, summary, isClosed, List.of(all), request, replies);
    }

    private Operation answers(String schema) {
        return replies("200", said(schema));
    }

    private Operation streams(String schema, String event, String what) {
        Map<String, String> content = new LinkedHashMap<>();
        content.put(JSON, schema);
        content.put(EVENTS, event);
        return replies(
                "200", new Reply("The answer; with stream, server-sent events whose data are " + what + ".", content));
    }

    private Operation replies(String status, Reply reply) {
        SequencedMap<String, Reply> all = new LinkedHashMap<>(replies);
        all.put(status, reply);
        return new Operation(method, path, id, summary, isClosed, parameters, request, all);
    }
}
