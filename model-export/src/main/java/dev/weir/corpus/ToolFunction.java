package dev.weir.corpus;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** A function that is declared to the assistant. Immutable; any thread. */
record ToolFunction(String name, String description, List<Parameter> parameters) {
    /**
     * One parameter; all are required.
     *
     * @param type a type of JSON Schema, or {@code enum} for one of {@code choices}
     */
    record Parameter(String name, String type, String description, List<String> choices) {}

    /** The declaration in the form that OpenAI's chat API has. */
    ObjectNode toJson() {
        ObjectNode tool = JsonNodeFactory.instance.objectNode().put("type", "function");
        ObjectNode function = tool.putObject("function").put("name", name).put("description", description);
        ObjectNode schema = function.putObject("parameters").put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        for (Parameter parameter : parameters) {
            ObjectNode property = properties.putObject(parameter.name);
            property.put("type", parameter.choices.isEmpty() ? parameter.type : "string");
            if (parameter.choices.isEmpty()) {
                property.put("description", parameter.description);
            } else {
                parameter.choices.forEach(property.withArray("enum")::add);
            }
        }
        parameters.forEach(parameter -> schema.withArray("required").add(parameter.name));
        return tool;
    }
}
