package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.weir.protocol.OpenApi;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Everything that the server can say is as OpenAI's API states it, which {@link OpenAiFacts} say in our words. */
@Timeout(120)
final class ConformanceTest {
    private static Recording recording;

    /** Streams are held to {@link ResponseStreamLaws} and {@link ChunkStreamLaws} while they are recorded. */
    @BeforeAll
    static void record(@TempDir Path folder) throws InterruptedException {
        recording = ConformanceScenarios.run(new TestKeys(folder));
    }

    @Test
    void everythingThatIsSaidIsAsItIsStated() {
        Set<String> faults = new LinkedHashSet<>();
        for (Recording.Said said : recording.all) {
            for (String fault : OpenAiFacts.faults(said.kind(), said.json().toString())) {
                faults.add(said.kind() + fault + " in " + said.json());
            }
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void everyEventThatThereIsWasSeen() {
        Set<Class<?>> all = new HashSet<>(Arrays.asList(ServerEvent.class.getPermittedSubclasses()));
        all.remove(ServerEvent.Unknown.class); // only ever read
        assertThat(recording.socketEvents).isEqualTo(all);
        all.remove(ServerEvent.SteerFailed.class); // answers an event of the client
        assertThat(recording.serverSentEvents).isEqualTo(all);
    }

    @Test
    void everyAnswerOfEveryOperationOfTheApiWasSeen() {
        Set<String> all = new TreeSet<>();
        Recording.json(OpenApi.document(false))
                .path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(operation -> operation
                                .getValue()
                                .path("responses")
                                .path("200")
                                .path("content")
                                .fieldNames()
                                .forEachRemaining(
                                        type -> all.add(operation.getKey() + " " + path.getKey() + " " + type))));
        all.removeIf(operation -> !operation.contains(" /v1/") || operation.contains("/v1/classify")); // vLLM's
        assertThat(recording.operations).isEqualTo(all);
        assertThat(Recording.KINDS.keySet()).isEqualTo(all);
    }

    @Test
    void everyStatusAndEveryReasonToFinishWasSeen() {
        assertThat(words("response", "status"))
                .isEqualTo(Stream.of(ResponseStatus.values())
                        .filter(status -> status != ResponseStatus.QUEUED) // never sent: what waits is in progress
                        .map(status -> status.name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.toSet()));
        assertThat(words("chat.completion", "finish_reason")).containsExactlyInAnyOrder("stop", "length", "tool_calls");
        assertThat(words("chat.completion.chunk", "finish_reason"))
                .containsExactlyInAnyOrder("stop", "length", "tool_calls", "null");
        assertThat(words("text_completion", "finish_reason")).containsExactlyInAnyOrder("stop", "length");
        assertThat(words("text_completion-streamed", "finish_reason"))
                .containsExactlyInAnyOrder("stop", "length", "null");
    }

    @Test
    void everyKindOfRefusalWasSeen() {
        assertThat(recording.refusals).containsExactlyInAnyOrder(400, 401, 404, 405, 413, 426, 429, 500, 503);
        assertThat(recording.socketErrors)
                .contains("slow_consumer", "stopping")
                .anySatisfy(code -> assertThat(code).contains("overloaded"));
    }

    /** What fields of a name say in what is of a kind; in a response, its own field and that of the response in an event. */
    private static Set<String> words(String kind, String field) {
        Set<String> words = new HashSet<>();
        for (Recording.Said said : recording.all) {
            if (kind.equals("response")) {
                JsonNode response = said.json().path(kind);
                if (response.has(field)) {
                    words.add(response.path(field).asText());
                }
            } else if (said.kind().equals(kind)) {
                words.addAll(said.json().findValuesAsText(field));
            }
        }
        return words;
    }

    @Test
    void whateverIsWrongInOnePlaceIsRefused() {
        List<String> survivors = new ArrayList<>();
        int tried = 0;
        for (Recording.Said sample : samples()) {
            for (Mutations.Mutation mutation : Mutations.of(sample.kind(), sample.json())) {
                tried++;
                if (OpenAiFacts.faults(sample.kind(), mutation.json()).isEmpty()) {
                    survivors.add(mutation.what());
                }
            }
        }
        assertThat(survivors).isEmpty();
        assertThat(tried).isGreaterThan(2000);
    }

    /** Of each kind the longest, and the longest of those with each of what only some have. */
    private static List<Recording.Said> samples() {
        Set<Recording.Said> samples = new LinkedHashSet<>();
        Set<String> kinds = recording.all.stream().map(Recording.Said::kind).collect(Collectors.toSet());
        for (String kind : kinds) {
            for (String with :
                    List.of("", "function_call", "tool_calls", "json_schema", "\"metadata\":{\"", "\"code\"")) {
                recording.all.stream()
                        .filter(said -> said.kind().equals(kind)
                                && said.json().toString().contains(with)
                                && said.json().toString().length() < 20_000)
                        .max(Comparator.comparingInt(
                                said -> said.json().toString().length()))
                        .ifPresent(samples::add);
            }
        }
        return List.copyOf(samples);
    }

    @Test
    void theFactsAreAJsonSchema() {
        String metaSchema = SpecificationVersion.DRAFT_2020_12.getDialectId();
        assertThat(SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                        .getSchema(SchemaLocation.of(metaSchema))
                        .validate(OpenAiFacts.text(), InputFormat.JSON))
                .isEmpty();
    }
}
