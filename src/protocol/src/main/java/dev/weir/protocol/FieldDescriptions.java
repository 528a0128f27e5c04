package dev.weir.protocol;

import java.util.Map;

/** What the fields of requests mean, where their names and ranges do not say it. */
final class FieldDescriptions {
    static final Map<String, String> ALL = Map.ofEntries(
            Map.entry("model", "The name of the model; may be left out, as one is served."),
            Map.entry("stream", "Whether to answer with server-sent events while the answer is written."),
            Map.entry("include_usage", "Whether a chunk that counts tokens ends the stream."),
            Map.entry("temperature", "How freely tokens are drawn; 0 takes the most likely one."),
            Map.entry("top_p", "Only the most likely tokens that have this probability together are drawn from."),
            Map.entry("top_k", "Only so many of the most likely tokens are drawn from; 0 or -1 for all."),
            Map.entry("min_p", "Only tokens with this share of the most likely one's probability are drawn from."),
            Map.entry("seed", "The same seed gives the same answer."),
            Map.entry("frequency_penalty", "Taken from a token's logit once for each time that it was generated."),
            Map.entry("presence_penalty", "Taken from the logit of each token that was generated."),
            Map.entry("repetition_penalty", "Divides the logits of tokens of prompt and answer; 1 does nothing."),
            Map.entry("logit_bias", "Added to the logits of tokens, by token id."),
            Map.entry("allowed_token_ids", "The only tokens that may be chosen."),
            Map.entry("bad_words", "Texts that are not written."),
            Map.entry("max_tokens", "Tokens of the answer at most."),
            Map.entry("max_completion_tokens", "Tokens of the answer at most; goes before max_tokens."),
            Map.entry("max_output_tokens", "Tokens of the answer at most."),
            Map.entry("min_tokens", "Tokens before the answer may end."),
            Map.entry("stop", "Texts that end the answer."),
            Map.entry("stop_token_ids", "Tokens that end the answer."),
            Map.entry("include_stop_str_in_output", "Whether the text that ended the answer is part of it."),
            Map.entry("ignore_eos", "Whether the model's own end of a text does not end the answer."),
            Map.entry("top_logprobs", "How many of the most likely tokens to tell beside each chosen one."),
            Map.entry("priority", "Lower numbers go before the others of the same key; 0 unless sent."),
            Map.entry(
                    "time_limit_ms",
                    "Milliseconds within which the whole answer is of use: what cannot be complete in time is refused or"
                            + " ended with 504 deadline_exceeded."),
            Map.entry("response_format", "What the answer must look like."),
            Map.entry("structured_outputs", "What the answer must look like, in vLLM's words: one of its fields."),
            Map.entry("tools", "Functions that the model may call and the client runs."),
            Map.entry(
                    "tool_choice", "Whether functions are called: as the model likes, never, at least one, this one."),
            Map.entry("parallel_tool_calls", "Whether one answer may hold several calls."),
            Map.entry("strict", "Whether the arguments of calls are held to the parameters' schema."),
            Map.entry("n", "How many answers to give."),
            Map.entry("best_of", "How many answers to write, of which the n most likely are given."),
            Map.entry("echo", "Whether the answer begins with the prompt."),
            Map.entry("previous_response_id", "The response whose conversation this one goes on with."),
            Map.entry(
                    "conversation",
                    "The stored conversation that this response goes on with; its input and output are added to it."),
            Map.entry("items", "What was said and called, up to 20 items at a time."),
            Map.entry("store", "Whether the response is kept, by its id."),
            Map.entry("generate", "False only gets the prompt ready for a later request that begins with it."),
            Map.entry("metadata", "Your own notes, given back with what they are on."),
            Map.entry("instructions", "The system message, before the input."),
            Map.entry("encoding_format", "Numbers, or the base64 of them as floats, least significant byte first."),
            Map.entry("dimensions", "How many numbers to answer with: the first ones, scaled to length one again."),
            Map.entry("stream_id", "The lane: its events are in order, and lanes go on beside each other."),
            Map.entry("event_id", "Your name for this event, told in an error that it causes."),
            Map.entry("starting_after", "The number of the last event that arrived; -1 asks for all."));

    private FieldDescriptions() {}
}
