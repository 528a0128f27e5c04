package dev.weir.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class OpenApiTest {
    private static final JsonNode ROOT = Json.tree(OpenApi.document(true));
    private static final JsonNode SCHEMAS = ROOT.path("components").path("schemas");

    private static JsonNode property(String schema, String name) {
        return SCHEMAS.path(schema).path("properties").path(name);
    }

    @Test
    void rangesAreThoseOfTheReader() {
        for (String request : List.of("ChatCompletionRequest", "CompletionRequest", "ResponseRequest")) {
            assertThat(property(request, "temperature").path("minimum").doubleValue())
                    .isEqualTo(0);
            assertThat(property(request, "temperature").path("maximum").doubleValue())
                    .isEqualTo(2);
            assertThat(property(request, "top_p").path("exclusiveMinimum").doubleValue())
                    .isEqualTo(0);
            assertThat(property(request, "time_limit_ms").path("minimum").intValue())
                    .isEqualTo(1);
            assertThat(property(request, "structured_outputs")
                            .path("properties")
                            .properties())
                    .extracting(Map.Entry::getKey)
                    .containsExactlyInAnyOrder("json", "json_object", "regex", "choice");
        }
        assertThat(property("CompletionRequest", "n").path("maximum").intValue())
                .isEqualTo(128);
    }

    @Test
    void eachRequestRequiresWhatItsReaderRequires() {
        assertThat(SCHEMAS.path("ChatCompletionRequest").path("required")).hasToString("[\"messages\"]");
        assertThat(SCHEMAS.path("CompletionRequest").path("required")).hasToString("[\"prompt\"]");
        assertThat(SCHEMAS.path("ResponseRequest").path("required")).hasToString("[\"input\"]");
        assertThat(SCHEMAS.path("TokenizeRequest").path("required")).isEmpty();
        assertThat(SCHEMAS.path("DetokenizeRequest").path("required")).hasToString("[\"tokens\"]");
    }

    @Test
    void everyEventIsDescribed() {
        Set<String> events = new TreeSet<>();
        Arrays.stream(ServerEvent.class.getPermittedSubclasses())
                .filter(type -> type != ServerEvent.Unknown.class)
                .forEach(type -> events.add("#/components/schemas/" + type.getSimpleName() + "Event"));
        Set<String> described = new TreeSet<>();
        SCHEMAS.path("ServerEvent")
                .path("anyOf")
                .forEach(event -> described.add(event.path("$ref").textValue()));
        assertThat(described).isEqualTo(events);
        assertThat(SCHEMAS.path("ClientEvent").path("anyOf"))
                .hasSize(ClientEvent.class.getPermittedSubclasses().length);
    }

    @Test
    void everyReferenceLeadsToASchemaAndEverySchemaIsReferredTo() {
        Set<String> referred = new TreeSet<>();
        ROOT.findValues("$ref").forEach(reference -> {
            String pointer = reference.textValue().substring(1);
            assertThat(ROOT.at(pointer).isMissingNode()).as(pointer).isFalse();
            referred.add(pointer.substring(pointer.lastIndexOf('/') + 1));
        });
        Set<String> unreferred = new TreeSet<>();
        SCHEMAS.fieldNames().forEachRemaining(unreferred::add);
        unreferred.removeAll(referred);
        assertThat(unreferred).containsExactly("ClientEvent"); // which travels over the WebSocket only
    }

    @Test
    void everyDescriptionHasAField() {
        Set<String> fields = new TreeSet<>();
        collect(SCHEMAS, fields);
        assertThat(fields).containsAll(FieldDescriptions.ALL.keySet());
    }

    private static void collect(JsonNode schema, Set<String> fields) {
        schema.path("properties").fieldNames().forEachRemaining(fields::add);
        schema.forEach(inner -> collect(inner, fields));
    }

    @Test
    void documentIsTheSameEachTime() {
        assertThat(OpenApi.document(true)).isEqualTo(ROOT.toString());
    }

    @Test
    void operationsHaveNamesOfTheirOwnAndTheParametersOfTheirPaths() {
        List<String> ids = new ArrayList<>();
        for (Operation operation : Operation.ALL) {
            ids.add(operation.id());
            boolean hasId = operation.parameters().stream().anyMatch(Operation.Parameter::isInPath);
            assertThat(hasId).as(operation.path()).isEqualTo(operation.path().contains("{id}"));
        }
        assertThat(ids).doesNotHaveDuplicates();
    }
}
