package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads {@code tools}, {@code tool_choice} and {@code parallel_tool_calls}. Any thread. */
final class ToolsReader {
    private static final int MOST_TOOLS = 128;
    private static final String NAME = "[a-zA-Z0-9_-]{1,64}";
    private static final String FUNCTION = "function";
    private static final String CHOICES = "auto, none, required or a function";

    /** What a choice says. */
    private record Chosen(Tools.Choice choice, @Nullable String name) {}

    private ToolsReader() {}

    /**
     * The tools of a request.
     *
     * @param isNested whether what describes a function stands in an object of its own, as in chats, or beside the type, as in
     *     responses
     */
    static Tools read(Fields fields, boolean isNested) {
        Chosen chosen = chosen(fields, isNested);
        List<FunctionTool> functions = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>();
        for (Fields tool : tools(fields)) {
            FunctionTool function = function(tool, isNested, chosen);
            if (!names.add(function.name())) {
                throw tool.wrongValue(
                        isNested ? "function.name" : "name",
                        function.name(),
                        "a name that no other function of the request has");
            }
            functions.add(function);
        }
        requireDeclared(fields, chosen, names, isNested);
        return new Tools(functions, chosen.choice(), chosen.name(), fields.flag("parallel_tool_calls", true));
    }

    /** A function's name, in whatever object it stands. */
    static String name(Fields fields, String remedy) {
        String name = fields.requiredString("name", remedy);
        if (!name.matches(NAME)) {
            throw fields.wrongValue("name", name, "1 to 64 letters, digits, \"_\" or \"-\"");
        }
        return name;
    }

    private static List<Fields> tools(Fields fields) {
        JsonNode tools = fields.value("tools");
        if (tools == null) {
            return List.of();
        }
        if (!tools.isArray()) {
            throw fields.wrongType("tools", tools, "a list of functions");
        }
        fields.atMost("tools", tools, MOST_TOOLS);
        return fields.objects("tools", tools);
    }

    private static FunctionTool function(Fields tool, boolean isNested, Chosen chosen) {
        String type = tool.requiredString("type", "send \"function\"");
        if (!type.equals(FUNCTION)) {
            throw tool.wrongValue("type", type, "function: this server has no tools of its own");
        }
        Fields fields = holder(tool, isNested);
        String name = name(fields, "send the function's name");
        JsonNode parameters = fields.value("parameters");
        if (parameters != null && !parameters.isObject()) {
            throw fields.wrongType("parameters", parameters, "a JSON Schema, an object");
        }
        boolean strict = fields.flag("strict", false);
        boolean isHeld = strict || chosen.choice() == Tools.Choice.REQUIRED || name.equals(chosen.name());
        return new FunctionTool(
                name,
                fields.string("description"),
                parameters == null ? null : parameters.toString(),
                strict,
                isHeld ? arguments(fields) : null);
    }

    /** What arguments are held to: they are always an object. */
    private static JsonSchema.Document arguments(Fields fields) {
        if (!fields.has("parameters")) {
            return new JsonSchema.Document(new JsonSchema.Members(List.of()), Map.of());
        }
        JsonSchema.Document document = JsonSchemaReader.read(fields, "parameters");
        return switch (document.root()) {
            case JsonSchema.Members _, JsonSchema.Entries _ -> document;
            case JsonSchema.Any _ ->
                new JsonSchema.Document(
                        new JsonSchema.Entries(new JsonSchema.Any(), 0, JsonSchema.UNLIMITED), Map.of());
            default ->
                throw fields.wrongType(
                        "parameters",
                        fields.required("parameters", "send a JSON Schema"),
                        "a JSON Schema of the type \"object\"");
        };
    }

    private static Fields holder(Fields fields, boolean isNested) {
        if (!isNested) {
            return fields;
        }
        fields.required(FUNCTION, "send the function's name and parameters in it");
        return Objects.requireNonNull(fields.object(FUNCTION));
    }

    private static Chosen chosen(Fields fields, boolean isNested) {
        JsonNode value = fields.value("tool_choice");
        if (value == null) {
            return new Chosen(Tools.Choice.AUTO, null);
        }
        if (value.isTextual()) {
            return switch (value.textValue()) {
                case "auto" -> new Chosen(Tools.Choice.AUTO, null);
                case "none" -> new Chosen(Tools.Choice.NONE, null);
                case "required" -> new Chosen(Tools.Choice.REQUIRED, null);
                default -> throw fields.wrongValue("tool_choice", value.textValue(), CHOICES);
            };
        }
        if (!value.isObject()) {
            throw fields.wrongType("tool_choice", value, CHOICES);
        }
        Fields choice = Objects.requireNonNull(fields.object("tool_choice"));
        String type = choice.requiredString("type", "send \"function\"");
        if (!type.equals(FUNCTION)) {
            throw choice.wrongValue("type", type, "function, or tool_choice must be auto, none or required");
        }
        return new Chosen(Tools.Choice.FUNCTION, name(holder(choice, isNested), "send the function's name"));
    }

    private static void requireDeclared(Fields fields, Chosen chosen, Set<String> names, boolean isNested) {
        if (chosen.choice() == Tools.Choice.REQUIRED && names.isEmpty()) {
            throw fields.wrongValue("tool_choice", "required", "auto or none, as tools declares no function");
        }
        if (chosen.name() != null && !names.contains(chosen.name())) {
            throw fields.wrongValue(
                    isNested ? "tool_choice.function.name" : "tool_choice.name",
                    chosen.name(),
                    names.isEmpty()
                            ? "left out, as tools declares no function"
                            : "that of a function in tools: " + Json.abbreviate(String.join(", ", names)));
        }
    }
}
