package dev.weir.corpus;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rules by which sentences are made, by name. Immutable once read; any thread.
 *
 * <pre>
 * = greeting               a rule, and its alternatives, one a line
 * Hello, {name}!
 * = ask-reverse held-out   a ninth of its alternatives is never trained on
 * </pre>
 */
final class Grammar {
    private final Map<String, Rule> rules = new LinkedHashMap<>();

    /** One rule and what it may become. */
    record Rule(String name, Divided<Template> alternatives) {
        static Rule of(String name, List<Template> all, boolean split) {
            return new Rule(
                    name, split ? Divided.of("template", all, Template::source) : Divided.shared(List.copyOf(all)));
        }
    }

    static Grammar read(List<String> files) {
        Grammar grammar = new Grammar();
        files.forEach(file -> grammar.read("rules/" + file + ".txt", CorpusResource.lines("rules/" + file + ".txt")));
        return grammar;
    }

    private void read(String file, List<String> lines) {
        String header = "";
        List<Template> alternatives = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("= ")) {
                add(file, header, alternatives);
                header = line.substring(2);
                alternatives = new ArrayList<>();
            } else if (!line.isEmpty()) {
                alternatives.add(Template.parse(line));
            }
        }
        add(file, header, alternatives);
    }

    private void add(String file, String header, List<Template> alternatives) {
        if (header.isEmpty()) {
            return;
        }
        boolean split = header.endsWith(" held-out");
        String name = split ? header.substring(0, header.indexOf(' ')) : header;
        if (name.contains(" ") || alternatives.isEmpty()) {
            throw new IllegalArgumentException(file + ": the rule \"" + header + "\" is not understood");
        }
        if (rules.put(name, Rule.of(name, alternatives, split)) != null) {
            throw new IllegalArgumentException(file + ": there are two rules " + name);
        }
    }

    boolean has(String name) {
        return rules.containsKey(name);
    }

    Rule rule(String name) {
        @Nullable Rule rule = rules.get(name);
        if (rule == null) {
            throw new IllegalArgumentException("there is no rule " + name);
        }
        return rule;
    }

    Collection<Rule> rules() {
        return rules.values();
    }
}
