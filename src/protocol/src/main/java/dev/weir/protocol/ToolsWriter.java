package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** Writes what {@link ToolsReader} reads. Any thread. */
final class ToolsWriter {
    private ToolsWriter() {}

    /** The list of functions; {@code isNested} as in chats. */
    static void writeList(JsonGenerator out, Tools tools, boolean isNested) throws IOException {
        out.writeArrayFieldStart("tools");
        for (FunctionTool function : tools.functions()) {
            out.writeStartObject();
            out.writeStringField("type", "function");
            if (isNested) {
                out.writeObjectFieldStart("function");
            }
            out.writeStringField("name", function.name());
            if (function.description() != null) {
                out.writeStringField("description", function.description());
            }
            out.writeFieldName("parameters");
            out.writeRawValue(function.parameters() == null ? "null" : function.parameters());
            out.writeBooleanField("strict", function.strict());
            if (isNested) {
                out.writeEndObject();
            }
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    static void writeChoice(JsonGenerator out, Tools tools, boolean isNested) throws IOException {
        switch (tools.choice()) {
            case AUTO -> out.writeStringField("tool_choice", "auto");
            case NONE -> out.writeStringField("tool_choice", "none");
            case REQUIRED -> out.writeStringField("tool_choice", "required");
            case FUNCTION -> {
                out.writeObjectFieldStart("tool_choice");
                out.writeStringField("type", "function");
                if (isNested) {
                    out.writeObjectFieldStart("function");
                }
                out.writeStringField("name", tools.chosen());
                if (isNested) {
                    out.writeEndObject();
                }
                out.writeEndObject();
            }
        }
    }
}
