package dev.weir.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Writes random schemas of the part of JSON Schema that is read. */
final class RandomSchema {
    private static final String[] PATTERNS = {
        "^[a-z]{1,5}$", "x", "^\\\\d+(\\\\.\\\\d{2})?$", "[^\\\"\\\\\\\\]{2}", "^(yes|no)$"
    };
    /** Without email, for which the judge knows the top-level domains by name. */
    private static final String[] FORMATS = {"date", "time", "date-time", "uuid", "ipv4", "hostname"};

    private final SplittableRandom random;
    private boolean refers;

    RandomSchema(SplittableRandom random) {
        this.random = random;
    }

    String next() {
        refers = false;
        String schema = schema(3);
        return refers
                ? "{\"anyOf\":[" + schema
                        + "],\"$defs\":{\"node\":{\"type\":\"object\",\"title\":\"a node\",\"properties\":{"
                        + "\"value\":" + leaf()
                        + ",\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/node\"},{\"type\":\"null\"}]}},"
                        + "\"required\":[\"value\"],\"additionalProperties\":false}}}"
                : schema;
    }

    private String schema(int depth) {
        if (depth == 0) {
            return leaf();
        }
        return switch (random.nextInt(8)) {
            case 0, 1 -> object(depth);
            case 2 -> "{\"type\":\"array\",\"items\":" + schema(depth - 1) + between("minItems", "maxItems", 4) + "}";
            case 3 -> "{\"anyOf\":[" + schema(depth - 1) + "," + schema(depth - 1) + "]}";
            case 4 -> "{\"type\":\"array\",\"prefixItems\":[" + schema(depth - 1) + "," + leaf() + "],\"items\":false}";
            case 5 ->
                "{\"type\":\"object\",\"additionalProperties\":" + schema(depth - 1) + ",\"maxProperties\":"
                        + random.nextInt(4) + "}";
            case 6 -> {
                refers = true;
                yield "{\"$ref\":\"#/$defs/node\"}";
            }
            default -> leaf();
        };
    }

    private String object(int depth) {
        List<String> members = new ArrayList<>();
        List<String> required = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            String name = "\"" + (random.nextBoolean() ? "n" : "\\\"\u00e9 ") + i + "\"";
            members.add(name + ":" + schema(depth - 1));
            if (random.nextBoolean()) {
                required.add(name);
            }
        }
        return "{\"type\":\"object\",\"properties\":{" + String.join(",", members) + "},\"required\":["
                + String.join(",", required) + "],\"additionalProperties\":false}";
    }

    private String leaf() {
        return switch (random.nextInt(10)) {
            case 0 -> "{\"type\":\"string\"" + between("minLength", "maxLength", 12) + "}";
            case 1 -> "{\"type\":\"string\",\"pattern\":\"" + PATTERNS[random.nextInt(PATTERNS.length)] + "\"}";
            case 2 -> "{\"type\":\"string\",\"format\":\"" + FORMATS[random.nextInt(FORMATS.length)] + "\"}";
            case 3 -> "{\"type\":\"number\"}";
            case 4 -> "{\"type\":\"integer\"}";
            case 5 -> integer();
            case 6 -> "{\"type\":[\"boolean\",\"null\"]}";
            case 7 -> "{\"enum\":[\"red\",\"gr\u00fcn\",7,null,{\"a\":[1,2]}]}";
            case 8 -> "{\"const\":\"x\\\"y\"}";
            default -> "{}";
        };
    }

    private String integer() {
        long low = random.nextLong(-100_000, 100_000) / (1 + random.nextInt(5_000));
        long high = low + random.nextLong(0, 100_000) / (1 + random.nextInt(5_000));
        return "{\"type\":\"integer\",\"minimum\":" + low + ",\""
                + (random.nextBoolean() ? "maximum" : "exclusiveMaximum") + "\":" + (high + 1) + "}";
    }

    private String between(String least, String most, int bound) {
        int min = random.nextInt(bound);
        return ",\"" + least + "\":" + min
                + (random.nextBoolean() ? ",\"" + most + "\":" + (min + random.nextInt(bound)) : "");
    }
}
