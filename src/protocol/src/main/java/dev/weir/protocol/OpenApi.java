package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The OpenAPI 3.1 description of what is served, for client generators and readers. The schemas come from the code that reads
 * and writes the messages ({@link RequestSchemas}, {@link ReplySchemas}); the paths are {@link Operation}s. Any thread.
 */
public final class OpenApi {
    private static final String DESCRIPTION = "description";
    private static final String SCHEMA = "schema";
    private static final String JSON = "application/json";

    private OpenApi() {}

    /**
     * The document.
     *
     * @param needsKey whether callers need an API key
     */
    public static String document(boolean needsKey) {
        JsonNodeFactory json = JsonNodeFactory.instance;
        ObjectNode root = json.objectNode();
        root.put("openapi", "3.1.0");
        root.putObject("info")
                .put("title", "Weir")
                .put("version", "1")
                .put(
                        DESCRIPTION,
                        "Streams tokens from a GPT, in the words of the OpenAI API and of vLLM. Fields that"
                                + " nobody knows are ignored; known ones that are not served are refused by name.");
        root.putArray("servers").addObject().put("url", "/");
        ObjectNode paths = root.putObject("paths");
        for (Operation operation : Operation.ALL) {
            ObjectNode path = (ObjectNode) paths.get(operation.path());
            if (path == null) {
                path = paths.putObject(operation.path());
            }
            path.set(operation.method(), operation(operation, needsKey));
        }
        ObjectNode components = root.putObject("components");
        ObjectNode schemas = components.putObject("schemas");
        RequestSchemas.all().forEach(schemas::set);
        describe(schemas);
        ReplySchemas.all().forEach(schemas::set);
        JsonShape.shorten(schemas);
        ObjectNode error = components.putObject("responses").putObject("Error");
        error.put(DESCRIPTION, "What is wrong, and the remedy. 4xx is the caller's, 429 and 503 are for want of room.");
        ObjectNode retry = error.putObject("headers").putObject("Retry-After");
        retry.put(DESCRIPTION, "Seconds after which to try again, where that helps.");
        retry.set(SCHEMA, JsonShape.type("string"));
        content(error, JSON, JsonShape.reference("Error"));
        components
                .putObject("securitySchemes")
                .putObject("key")
                .put("type", "http")
                .put("scheme", "bearer")
                .put(DESCRIPTION, "An API key of this server, where it asks for one.");
        return root.toString();
    }

    private static ObjectNode operation(Operation operation, boolean needsKey) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        node.put("operationId", operation.id());
        node.put("summary", operation.summary());
        if (operation.isClosed()) {
            var security = node.putArray("security");
            security.addObject().putArray("key");
            if (!needsKey) {
                security.addObject();
            }
        } else {
            node.putArray("security");
        }
        for (Operation.Parameter parameter : operation.parameters()) {
            ObjectNode described = node.withArray("parameters").addObject();
            described.put("name", parameter.name());
            described.put("in", parameter.isInPath() ? "path" : "query");
            if (parameter.isInPath()) {
                described.put("required", true);
            }
            described.put(DESCRIPTION, parameter.description());
            described.set(SCHEMA, JsonShape.type(parameter.type()));
        }
        if (operation.request() != null) {
            ObjectNode body = node.putObject("requestBody").put("required", true);
            ObjectNode media = content(body, JSON, JsonShape.reference(operation.request()));
            JsonNode example = RequestSchemas.examples().get(operation.request());
            if (example != null) {
                media.set("example", example);
            }
        }
        ObjectNode responses = node.putObject("responses");
        operation.replies().forEach((status, reply) -> {
            ObjectNode described = responses.putObject(status).put(DESCRIPTION, reply.description());
            reply.content().forEach((type, schema) -> content(described, type, schema(schema)));
        });
        responses.putObject("default").put("$ref", "#/components/responses/Error");
        return node;
    }

    private static ObjectNode schema(String name) {
        return Character.isUpperCase(name.charAt(0)) ? JsonShape.reference(name) : JsonShape.type(name);
    }

    private static ObjectNode content(ObjectNode holder, String type, ObjectNode schema) {
        ObjectNode content = (ObjectNode) holder.get("content");
        ObjectNode media = (content == null ? holder.putObject("content") : content).putObject(type);
        media.set(SCHEMA, schema);
        return media;
    }

    private static void describe(JsonNode schema) {
        JsonNode properties = schema.path("properties");
        properties.properties().forEach(property -> {
            String text = FieldDescriptions.ALL.get(property.getKey());
            if (text != null && property.getValue() instanceof ObjectNode field) {
                field.put(DESCRIPTION, text);
            }
        });
        schema.forEach(OpenApi::describe);
    }
}
