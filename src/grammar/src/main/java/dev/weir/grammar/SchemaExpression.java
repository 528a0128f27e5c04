package dev.weir.grammar;

import dev.weir.protocol.JsonSchema;
import dev.weir.protocol.JsonSchema.Member;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON texts that a schema allows, on one line, members in the schema's order. Owned by the thread of its
 * {@link Expressions}.
 */
final class SchemaExpression {
    private static final String DATE =
            "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
    private static final String TIME =
            "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])";
    private static final String LABEL = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?";
    private static final String BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final String HEX = "[0-9a-f]";
    /** Part of what each format allows; all of it valid. */
    private static final Map<String, String> FORMATS = Map.of(
            "date", DATE,
            "time", TIME,
            "date-time", DATE + "T" + TIME,
            "uuid", HEX + "{8}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{12}",
            "ipv4", "(" + BYTE + "\\.){3}" + BYTE,
            "hostname", LABEL + "(\\." + LABEL + "){0,4}",
            "email", "[a-zA-Z0-9_+-]{1,32}(\\.[a-zA-Z0-9_+-]{1,16}){0,2}@(" + LABEL + "\\.){1,3}[a-z]{2,6}");

    private final Expressions make;
    private final JsonText json;
    private final String owner;

    /** A schema's expressions; {@code owner} tells its definitions from those of other schemas. */
    SchemaExpression(Expressions make, String owner) {
        this.make = make;
        this.owner = owner;
        json = new JsonText(make);
    }

    /**
     * What a schema allows.
     *
     * @throws IllegalArgumentException saying which pattern or format cannot be done
     */
    Expression of(JsonSchema.Document document) {
        document.definitions().forEach((name, schema) -> make.define(owner + name, of(schema)));
        return of(document.root());
    }

    private Expression of(JsonSchema schema) {
        return switch (schema) {
            case JsonSchema.Any _ -> json.anyValue();
            case JsonSchema.Text text -> text(text);
            case JsonSchema.Decimal _ -> json.number();
            case JsonSchema.Whole(Long min, Long max) -> WholeNumbers.between(make, min, max);
            case JsonSchema.Literal(List<String> values) ->
                make.choice(values.stream().map(make::text).toList());
            case JsonSchema.Array(JsonSchema item, int min, int max) -> json.array(of(item), min, max);
            case JsonSchema.Tuple(List<JsonSchema> items) -> tuple(items);
            case JsonSchema.Members(List<Member> members) ->
                make.sequence(make.text("{"), members(members, 0, false, new HashMap<>()), make.text("}"));
            case JsonSchema.Entries(JsonSchema value, int min, int max) -> json.object(of(value), min, max);
            case JsonSchema.AnyOf(List<JsonSchema> options) ->
                make.choice(options.stream().map(this::of).toList());
            case JsonSchema.Reference(String name) -> make.reference(owner + name);
        };
    }

    private Expression text(JsonSchema.Text text) {
        if (text.pattern() != null) {
            try {
                return json.quoted(Regex.search(make, json, text.pattern()));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("the pattern \"" + text.pattern() + "\" " + e.getMessage(), e);
            }
        }
        if (text.format() != null) {
            String pattern = FORMATS.get(text.format());
            if (pattern == null) {
                throw new IllegalArgumentException("the format \"" + text.format()
                        + "\" is not supported; leave it out or " + "take one of "
                        + String.join(", ", FORMATS.keySet().stream().sorted().toList()));
            }
            return json.quoted(Regex.whole(make, json, pattern));
        }
        return json.string(text.minLength(), text.maxLength());
    }

    private Expression tuple(List<JsonSchema> items) {
        Expression inside = make.empty;
        for (int i = items.size() - 1; i >= 0; i--) {
            inside = make.sequence(i > 0 ? json.comma() : make.empty, of(items.get(i)), inside);
        }
        return make.sequence(make.text("["), inside, make.text("]"));
    }

    /** The members from {@code index} on; what comes first needs no comma. */
    private Expression members(List<Member> members, int index, boolean follows, Map<Integer, Expression> done) {
        if (index == members.size()) {
            return make.empty;
        }
        int key = 2 * index + (follows ? 1 : 0);
        Expression known = done.get(key);
        if (known != null) {
            return known;
        }
        Member member = members.get(index);
        Expression there = make.sequence(
                follows ? json.comma() : make.empty,
                json.member(member.quotedName(), of(member.value())),
                members(members, index + 1, true, done));
        Expression all = member.required() ? there : make.choice(there, members(members, index + 1, follows, done));
        done.put(key, all);
        return all;
    }
}
