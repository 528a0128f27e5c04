package dev.weir.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What a model folder's {@code tokenizer.json} and {@code tokenizer_config.json} say, checked. Whatever a file asks for that
 * would change ids and is not supported is refused by name: a tokenizer that is nearly right makes a model quietly worse.
 *
 * @param bytesOfId what each id stands for; empty for unused ids
 * @param special which ids are special tokens
 * @param idOfToken every token as the file spells it
 * @param composes whether text is brought to Unicode's NFC first
 * @param prefix ids that the post-processor puts before a text
 * @param suffix ids that the post-processor puts after a text
 * @param namedTokens {@code eos_token}, {@code bos_token} and the like, by role
 */
@SuppressWarnings("ArrayRecordComponent") // carries tables from the reader to the tokenizer, never compared
record TokenizerFile(
        byte[][] bytesOfId,
        boolean[] special,
        Map<String, Integer> idOfToken,
        List<AddedTokens.AddedToken> addedTokens,
        Bpe bpe,
        PreTokenizer preTokenizer,
        boolean composes,
        int[] prefix,
        int[] suffix,
        Map<String, String> namedTokens) {

    /** No real vocabulary comes near it; an id past it is a damaged file, not a reason to reserve gigabytes. */
    private static final int MAX_ID = 1 << 24;

    static TokenizerFile read(Path modelFolder) throws IOException {
        Path file = modelFolder.resolve("tokenizer.json");
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileException(
                    file.toString(), null, "a model folder needs a tokenizer.json in Hugging Face's format");
        }
        Path config = modelFolder.resolve("tokenizer_config.json");
        JsonNode root = parse(file);
        JsonNode named = Files.isRegularFile(config) ? parse(config) : MissingNode.getInstance();
        return new Reader(file, config).read(root, named);
    }

    static JsonNode parse(Path file) throws IOException {
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file + " is not valid JSON: " + e.getMessage(), e);
        }
    }

    private record Reader(Path file, Path config) {

        TokenizerFile read(JsonNode root, JsonNode named) {
            JsonNode model = root.path("model");
            checkModel(model);
            checkDecoder(root.path("decoder"));

            Map<String, Integer> ids = new HashMap<>();
            model.path("vocab")
                    .properties()
                    .forEach(entry -> ids.put(entry.getKey(), id(entry.getValue(), "model.vocab")));
            if (ids.isEmpty()) {
                throw refused("model.vocab", "is empty");
            }
            Map<String, Integer> words = Map.copyOf(ids);
            List<AddedTokens.AddedToken> added = addedTokens(root.path("added_tokens"));
            int largest = 0;
            for (AddedTokens.AddedToken token : added) {
                ids.put(token.content(), token.id());
                largest = Math.max(largest, token.id());
            }
            for (int id : words.values()) {
                largest = Math.max(largest, id);
            }

            byte[][] bytesOfId = new byte[largest + 1][0];
            words.forEach((token, id) -> bytesOfId[id] = ByteLevel.bytesOfToken(token));
            boolean[] special = new boolean[largest + 1];
            for (AddedTokens.AddedToken token : added) {
                bytesOfId[token.id()] = token.content().getBytes(StandardCharsets.UTF_8);
                special[token.id()] |= token.special();
            }

            Map<String, Integer> wholeWords = new HashMap<>();
            if (model.path("ignore_merges").asBoolean()) {
                words.forEach((token, id) -> {
                    if (!special[id]) {
                        wholeWords.put(token, id);
                    }
                });
            }
            Bpe bpe = new Bpe(idOfByte(words), merges(model.path("merges"), words), wholeWords);

            IntArray prefix = new IntArray(4);
            IntArray suffix = new IntArray(4);
            postProcess(root.path("post_processor"), prefix, suffix);
            return new TokenizerFile(
                    bytesOfId,
                    special,
                    ids,
                    added,
                    bpe,
                    preTokenizer(root.path("pre_tokenizer")),
                    composes(root.path("normalizer")),
                    prefix.toArray(),
                    suffix.toArray(),
                    namedTokens(named, ids));
        }

        private void checkModel(JsonNode model) {
            String type = model.path("type").asText(model.has("merges") ? "BPE" : "none");
            if (!type.equals("BPE")) {
                throw refused("model.type", "is \"" + type + "\", but only byte-level \"BPE\" is supported");
            }
            if (model.path("byte_fallback").asBoolean()) {
                throw refused("model.byte_fallback", "is true (a SentencePiece vocabulary), which is not supported");
            }
            if (model.path("dropout").asDouble() != 0) {
                throw refused(
                        "model.dropout",
                        "is " + model.path("dropout") + ", but encoding must give one result: use null");
            }
            for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
                if (!model.path(affix).asText("").isEmpty()
                        && !model.path(affix).isNull()) {
                    throw refused(
                            "model." + affix, "is " + model.path(affix) + ", but byte-level BPE has none: use null");
                }
            }
        }

        private void checkDecoder(JsonNode decoder) {
            for (JsonNode part : parts(decoder, "decoders")) {
                if (!type(part).equals("ByteLevel")) {
                    throw refused("decoder", "is \"" + type(part) + "\", but only \"ByteLevel\" is supported");
                }
            }
        }

        private boolean composes(JsonNode normalizer) {
            boolean composes = false;
            for (JsonNode part : normalizer.isMissingNode() || normalizer.isNull()
                    ? List.<JsonNode>of()
                    : parts(normalizer, "normalizers")) {
                if (!type(part).equals("NFC")) {
                    throw refused("normalizer", "is \"" + type(part) + "\", but only null and \"NFC\" are supported");
                }
                composes = true;
            }
            return composes;
        }

        private int[] idOfByte(Map<String, Integer> words) {
            int[] ids = new int[256];
            for (int value = 0; value < ids.length; value++) {
                Integer id = words.get(String.valueOf(ByteLevel.charOf(value)));
                boolean inUtf8 = value < 0xC0 || (value > 0xC1 && value < 0xF5);
                if (id == null && inUtf8) {
                    throw refused(
                            "model.vocab",
                            "has no token for byte 0x%02X (\"%s\"); byte-level BPE needs all of them: train with the ByteLevel alphabet"
                                    .formatted(value, ByteLevel.charOf(value)));
                }
                ids[value] = id == null ? -1 : id;
            }
            return ids;
        }

        private MergeTable merges(JsonNode merges, Map<String, Integer> words) {
            MergeTable table = new MergeTable(merges.size());
            int rank = 0;
            for (JsonNode merge : merges) {
                String left;
                String right;
                if (merge.isArray() && merge.size() == 2) {
                    left = merge.path(0).asText();
                    right = merge.path(1).asText();
                } else {
                    String text = merge.asText();
                    int space = text.indexOf(' ');
                    if (space <= 0 || space != text.lastIndexOf(' ')) {
                        throw refused("model.merges[" + rank + "]", "is " + merge + ", not two tokens");
                    }
                    left = text.substring(0, space);
                    right = text.substring(space + 1);
                }
                table.put(word(words, left, rank), word(words, right, rank), rank, word(words, left + right, rank));
                rank++;
            }
            return table;
        }

        private int word(Map<String, Integer> words, String token, int rank) {
            Integer id = words.get(token);
            if (id == null) {
                throw refused(
                        "model.merges[" + rank + "]", "needs the token \"" + token + "\", which model.vocab lacks");
            }
            return id;
        }

        private List<AddedTokens.AddedToken> addedTokens(JsonNode tokens) {
            List<AddedTokens.AddedToken> added = new ArrayList<>();
            for (JsonNode token : tokens) {
                String content = token.path("content").asText("");
                if (content.isEmpty()) {
                    throw refused("added_tokens[" + added.size() + "].content", "is empty");
                }
                added.add(new AddedTokens.AddedToken(
                        id(token.path("id"), "added_tokens[" + added.size() + "].id"),
                        content,
                        token.path("special").asBoolean(),
                        token.path("single_word").asBoolean(),
                        token.path("lstrip").asBoolean(),
                        token.path("rstrip").asBoolean(),
                        token.path("normalized").asBoolean()));
            }
            return added;
        }

        private int id(JsonNode node, String field) {
            if (!node.isInt() || node.asInt() < 0 || node.asInt() > MAX_ID) {
                throw refused(field, "has " + node + " where a token id from 0 to " + MAX_ID + " belongs");
            }
            return node.asInt();
        }

        private PreTokenizer preTokenizer(JsonNode node) {
            List<PreTokenizer.Stage> stages = new ArrayList<>();
            boolean bytes = false;
            for (JsonNode part : parts(node, "pretokenizers")) {
                if (bytes) {
                    throw refused(
                            "pre_tokenizer", "has \"" + type(part) + "\" after \"ByteLevel\", which must be the last");
                }
                switch (type(part)) {
                    case "ByteLevel" -> {
                        bytes = true;
                        if (part.path("add_prefix_space").asBoolean(true)) {
                            stages.add(new PreTokenizer.PrefixSpace());
                        }
                        if (part.path("use_regex").asBoolean(true)) {
                            stages.add(new PreTokenizer.Split(ByteLevel.gpt2Words(), true, true));
                        }
                    }
                    case "Split" -> stages.add(split(part));
                    case "Digits" -> {
                        String digits = part.path("individual_digits").asBoolean() ? "\\p{N}" : "\\p{N}+";
                        stages.add(new PreTokenizer.Split(ByteLevel.compile(digits), true, true));
                    }
                    default ->
                        throw refused(
                                "pre_tokenizer",
                                "has \"" + type(part)
                                        + "\", but only \"ByteLevel\", \"Split\" and \"Digits\" are supported");
                }
            }
            if (!bytes) {
                throw refused("pre_tokenizer", "has no \"ByteLevel\", but only byte-level BPE is supported");
            }
            return new PreTokenizer(List.copyOf(stages));
        }

        private PreTokenizer.Split split(JsonNode split) {
            JsonNode pattern = split.path("pattern");
            String regex = pattern.has("Regex")
                    ? pattern.path("Regex").asText()
                    : Pattern.quote(pattern.path("String").asText());
            String behavior = split.path("behavior").asText();
            boolean invert = split.path("invert").asBoolean();
            try {
                return switch (behavior) {
                    case "Isolated" -> new PreTokenizer.Split(ByteLevel.compile(regex), true, true);
                    case "Removed" -> new PreTokenizer.Split(ByteLevel.compile(regex), invert, !invert);
                    default ->
                        throw refused(
                                "pre_tokenizer.behavior",
                                "is \"" + behavior + "\", but only \"Isolated\" and \"Removed\" are supported");
                };
            } catch (PatternSyntaxException e) {
                throw refused("pre_tokenizer.pattern", "is not a pattern that Java reads: " + e.getMessage());
            }
        }

        private void postProcess(JsonNode node, IntArray prefix, IntArray suffix) {
            if (node.isMissingNode() || node.isNull()) {
                return;
            }
            for (JsonNode part : parts(node, "processors")) {
                switch (type(part)) {
                    case "ByteLevel" -> {} // moves offsets only
                    case "TemplateProcessing" -> {
                        IntArray target = prefix;
                        for (JsonNode piece : part.path("single")) {
                            if (piece.has("Sequence")) {
                                target = suffix;
                                continue;
                            }
                            String name = piece.path("SpecialToken").path("id").asText();
                            JsonNode ids =
                                    part.path("special_tokens").path(name).path("ids");
                            if (ids.isEmpty()) {
                                throw refused("post_processor.special_tokens", "lacks \"" + name + "\"");
                            }
                            for (JsonNode id : ids) {
                                target.add(id(id, "post_processor.special_tokens"));
                            }
                        }
                    }
                    default ->
                        throw refused(
                                "post_processor",
                                "is \"" + type(part)
                                        + "\", but only \"ByteLevel\" and \"TemplateProcessing\" are supported");
                }
            }
        }

        private Map<String, String> namedTokens(JsonNode named, Map<String, Integer> ids) {
            Map<String, String> tokens = new HashMap<>();
            for (String role : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
                JsonNode value = named.path(role);
                String token = value.isObject() ? value.path("content").asText() : value.asText("");
                if (value.isMissingNode() || value.isNull() || token.isEmpty()) {
                    continue;
                }
                if (!ids.containsKey(token)) {
                    throw new IllegalArgumentException(config + ": " + role + " is \"" + token + "\", which "
                            + file.getFileName() + " does not have");
                }
                tokens.put(role, token);
            }
            return Map.copyOf(tokens);
        }

        /** The members of a Sequence, or the node itself. */
        private static List<JsonNode> parts(JsonNode node, String members) {
            if (!type(node).equals("Sequence")) {
                return List.of(node);
            }
            List<JsonNode> parts = new ArrayList<>();
            for (JsonNode member : node.path(members)) {
                parts.addAll(parts(member, members));
            }
            return parts;
        }

        private static String type(JsonNode node) {
            return node.path("type").asText("none");
        }

        private IllegalArgumentException refused(String field, String complaint) {
            return new IllegalArgumentException(file + ": " + field + " " + complaint);
        }
    }
}
