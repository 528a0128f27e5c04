package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Fields of the OpenAI and vLLM APIs that would change the answer and are not served. A value that asks for what the
 * server does anyway is accepted, any other is refused by name: an answer that silently ignores them would be wrong.
 */
@SuppressWarnings("UnnecessaryLambda") // the tables below read best with named predicates
final class Unsupported {
    private static final Predicate<JsonNode> NEVER = value -> false;
    private static final Predicate<JsonNode> IF_EMPTY = value -> value.isContainerNode() && value.isEmpty();
    private static final Predicate<JsonNode> IF_FALSE = value -> value.isBoolean() && !value.booleanValue();
    private static final Predicate<JsonNode> IF_TRUE = value -> value.isBoolean() && value.booleanValue();
    private static final Predicate<JsonNode> IF_ZERO = value -> value.isNumber() && value.doubleValue() == 0;
    private static final Predicate<JsonNode> IF_ONE = value -> value.isNumber() && value.doubleValue() == 1;
    private static final Predicate<JsonNode> IF_EMPTY_TEXT =
            value -> value.isTextual() && value.textValue().isEmpty();

    private static final Map<String, Predicate<JsonNode>> ALWAYS = Map.ofEntries(
            Map.entry("prompt_logprobs", NEVER),
            Map.entry("length_penalty", IF_ONE),
            Map.entry("use_beam_search", IF_FALSE),
            Map.entry("functions", IF_EMPTY),
            Map.entry("function_call", oneOf("none", "auto")),
            Map.entry("guided_json", NEVER),
            Map.entry("guided_regex", NEVER),
            Map.entry("guided_choice", NEVER),
            Map.entry("guided_grammar", NEVER),
            Map.entry(
                    "modalities",
                    value -> value.size() == 1 && "text".equals(value.path(0).asText())),
            Map.entry("audio", NEVER),
            Map.entry("chat_template", NEVER),
            Map.entry("continue_final_message", IF_FALSE),
            Map.entry("add_generation_prompt", IF_TRUE));

    private static final Map<String, Predicate<JsonNode>> IN_COMPLETIONS = with(Map.of(
            "suffix", IF_EMPTY_TEXT, "top_logprobs", IF_ZERO, "tools", IF_EMPTY, "tool_choice", oneOf("none", "auto")));

    private static final Map<String, Predicate<JsonNode>> IN_CHAT_COMPLETIONS =
            with(Map.of("best_of", IF_ONE, "echo", IF_FALSE, "suffix", IF_EMPTY_TEXT));

    private static final Map<String, Predicate<JsonNode>> IN_RESPONSES = with(Map.ofEntries(
            Map.entry("n", IF_ONE),
            Map.entry("best_of", IF_ONE),
            Map.entry("echo", IF_FALSE),
            Map.entry("suffix", IF_EMPTY_TEXT),
            Map.entry("logprobs", IF_FALSE),
            Map.entry("background", IF_FALSE),
            Map.entry("prompt", NEVER),
            Map.entry("truncation", oneOf("disabled"))));

    private static final Map<String, Predicate<JsonNode>> OF_TEXTS = Map.of(
            "messages", NEVER,
            "truncate_prompt_tokens", NEVER,
            "activation", IF_TRUE,
            "softmax", IF_TRUE,
            "use_activation", IF_TRUE,
            "normalize", IF_TRUE,
            "add_special_tokens", IF_TRUE);

    private Unsupported() {}

    /** Refuses what {@code /v1/classify} does not serve. */
    static void refuseOfTexts(Fields fields) {
        refuse(fields, OF_TEXTS);
    }

    /** Refuses what {@code /v1/completions} does not serve. */
    static void refuseInCompletions(Fields fields) {
        refuse(fields, IN_COMPLETIONS);
    }

    /** Refuses what {@code /v1/chat/completions} does not serve. */
    static void refuseInChatCompletions(Fields fields) {
        refuse(fields, IN_CHAT_COMPLETIONS);
    }

    /** Refuses what {@code /v1/responses} does not serve. */
    static void refuseInResponses(Fields fields) {
        refuse(fields, IN_RESPONSES);
    }

    private static void refuse(Fields fields, Map<String, Predicate<JsonNode>> neutral) {
        neutral.forEach((name, isNeutral) -> {
            JsonNode value = fields.unnoted(name);
            if (value != null && !isNeutral.test(value)) {
                throw ProtocolException.invalid(
                        "unsupported_parameter",
                        name,
                        name + " is " + Json.abbreviate(value.toString())
                                + ", which this server does not support; leave it out");
            }
        });
    }

    private static Predicate<JsonNode> oneOf(String... values) {
        return value -> Stream.of(values).anyMatch(allowed -> allowed.equals(value.textValue()));
    }

    private static Map<String, Predicate<JsonNode>> with(Map<String, Predicate<JsonNode>> more) {
        return Stream.of(ALWAYS, more)
                .flatMap(map -> map.entrySet().stream())
                .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
