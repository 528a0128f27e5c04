package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;

/**
 * A kind of function that the assistant may call, with the names that it may have, what users ask of it and how its result is
 * told. Immutable; any thread.
 *
 * <pre>
 * tool weather
 * name get_weather|weather
 * about Gets the weather of a city.
 * param city string city|place = {city} : The city.
 * draw city city
 * sum total = a 1-9 + b 1-9
 * product total = a 1-9 * b 1-9
 * result temperature|temp number {temperature}
 * ask What is the weather in {city}?
 * tell It is {temperature} degrees.
 * brief How many degrees is it in {city}? = {temperature}
 * </pre>
 *
 * @param brief questions whose answer is one of the results alone
 */
record ToolKind(
        String name,
        List<String> names,
        Template about,
        List<Argument> arguments,
        List<Value> values,
        List<Result> results,
        Grammar.Rule ask,
        Grammar.Rule tell,
        List<Brief> brief) {
    /** A parameter: its possible names, and where the value comes from. */
    record Argument(List<String> names, String type, Template value, Template description) {}

    /** Something that is drawn before all else. */
    sealed interface Value permits Drawn, Computed {}

    /** A word of a list, a number of a range or a text of a rule. */
    record Drawn(String name, String source) implements Value {}

    /** Two numbers and what they make. */
    record Computed(String name, String one, String oneRange, char operator, String other, String otherRange)
            implements Value {}

    /** A field of what the function gives back. */
    record Result(List<String> names, String type, Template value) {}

    /** A question with its exact answer. */
    record Brief(Template ask, Template answer) {}

    static List<ToolKind> read() {
        List<ToolKind> kinds = new ArrayList<>();
        Reader reader = new Reader();
        for (String line : CorpusResource.lines("tools/tools.txt")) {
            if (line.startsWith("tool ")) {
                reader.end(kinds);
                reader = new Reader();
                reader.name = line.substring(5);
            } else if (!line.isEmpty()) {
                reader.line(line);
            }
        }
        reader.end(kinds);
        return List.copyOf(kinds);
    }

    private static final class Reader {
        private String name = "";
        private List<String> names = List.of();
        private Template about = Template.parse("");
        private final List<Argument> arguments = new ArrayList<>();
        private final List<Value> values = new ArrayList<>();
        private final List<Result> results = new ArrayList<>();
        private final List<Template> ask = new ArrayList<>();
        private final List<Template> tell = new ArrayList<>();
        private final List<Brief> brief = new ArrayList<>();

        void line(String line) {
            int space = line.indexOf(' ');
            String rest = line.substring(space + 1);
            String[] words = rest.split(" ", -1);
            switch (line.substring(0, space)) {
                case "name" -> names = alternatives(rest);
                case "about" -> about = Template.parse(rest);
                case "param" -> {
                    String[] sides = rest.split(" [=:] ", 3);
                    arguments.add(new Argument(
                            alternatives(words[2]), words[1], Template.parse(sides[1]), Template.parse(sides[2])));
                }
                case "draw" -> values.add(new Drawn(words[0], words[1]));
                case "sum", "product" ->
                    values.add(new Computed(words[0], words[2], words[3], words[4].charAt(0), words[5], words[6]));
                case "result" ->
                    results.add(new Result(
                            alternatives(words[0]),
                            words[1],
                            Template.parse(rest.substring(words[0].length() + words[1].length() + 2))));
                case "ask" -> ask.add(Template.parse(rest));
                case "tell" -> tell.add(Template.parse(rest));
                case "brief" -> {
                    String[] sides = rest.split(" = ", -1);
                    brief.add(new Brief(Template.parse(sides[0]), Template.parse(sides[1])));
                }
                default -> throw new IllegalArgumentException("tools.txt, " + name + ": \"" + line + "\"");
            }
        }

        private static List<String> alternatives(String text) {
            return List.of(text.split("\\|", -1));
        }

        void end(List<ToolKind> kinds) {
            if (!name.isEmpty()) {
                kinds.add(new ToolKind(
                        name,
                        names,
                        about,
                        List.copyOf(arguments),
                        List.copyOf(values),
                        List.copyOf(results),
                        Grammar.Rule.of("ask-" + name, ask, true),
                        Grammar.Rule.of("tell-" + name, tell, false),
                        List.copyOf(brief)));
            }
        }
    }
}
