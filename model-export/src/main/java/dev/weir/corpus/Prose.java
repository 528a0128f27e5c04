package dev.weir.corpus;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Facts, reasons, meanings and instructions, as texts and as questions with answers. Static functions; any thread. */
final class Prose {
    private static final List<String> OF_ANIMALS = List.of("class", "young", "sound", "home", "food", "cover", "legs");
    private static final List<String> OF_COUNTRIES = List.of("capital", "continent", "language");

    private Prose() {}

    /** All that is known of one animal or country, in any order. */
    static String portrait(Scribe scribe) {
        boolean animal = scribe.random().chance(65);
        List<String> relations = animal ? OF_ANIMALS : OF_COUNTRIES;
        CorpusBook book = scribe.book();
        String subject = scribe.random()
                .of(book.relation(relations.getFirst()).facts().all())
                .x()
                .base();
        List<String> sentences = new ArrayList<>();
        for (String name : relations) {
            Relation relation = book.relation(name);
            for (Relation.Fact fact : relation.facts().all()) {
                if (fact.x().base().equals(subject)) {
                    RelationSkill.keep(scribe, fact);
                    sentences.add(scribe.write(relation.say()));
                }
            }
        }
        scribe.random().shuffle(sentences);
        if (animal) {
            sentences.addFirst(scribe.write("animal-intro"));
            sentences.add(scribe.write("animal-outro"));
        } else {
            sentences.add(scribe.write("country-outro"));
        }
        return joined(sentences, " ");
    }

    /** Some facts of one kind, or of many. */
    static String facts(Scribe scribe) {
        CorpusRandom random = scribe.random();
        List<Relation> relations = scribe.book().relations();
        boolean mixed = random.chance(50);
        Relation relation = random.of(relations);
        Set<Relation.Fact> told = new HashSet<>();
        List<String> sentences = new ArrayList<>();
        for (int i = random.between(4, 9); i > 0; i--) {
            Relation.Fact fact = random.of(relation.facts().all());
            if (told.add(fact)) {
                RelationSkill.keep(scribe, fact);
                sentences.add(scribe.write(relation.say()));
            }
            relation = mixed ? random.of(relations) : relation;
        }
        return joined(sentences, random.chance(40) ? "\n" : " ");
    }

    /** One sentence about what is so, which can stand between quotation marks. */
    static String fact(Scribe scribe) {
        String sentence;
        do {
            Relation relation = scribe.random().of(scribe.book().relations());
            RelationSkill.keep(scribe, scribe.random().of(relation.facts().all()));
            sentence = scribe.write(relation.say());
        } while (sentence.indexOf('"') >= 0);
        return sentence;
    }

    private static String joined(List<String> sentences, String separator) {
        return String.join(
                separator,
                sentences.stream().filter(sentence -> !sentence.isEmpty()).toList());
    }

    /** A word and its meaning. */
    static String[] definition(Scribe scribe) {
        return scribe.write("definition").split(" :: ", 2);
    }

    /** Some words with their meanings, as a dictionary has them. */
    static String dictionary(Scribe scribe) {
        String between = scribe.random().of(List.of(": ", " - ", " means ", ": "));
        List<String> lines = new ArrayList<>();
        for (int i = scribe.random().between(3, 7); i > 0; i--) {
            String[] entry = definition(scribe);
            lines.add(entry[0] + between + entry[1] + ".");
        }
        return String.join("\n", lines.stream().distinct().toList());
    }

    /** How something is done: as a numbered list or in sentences. */
    static String instructions(Scribe scribe) {
        String[] steps = howto(scribe);
        String body = scribe.random().chance(50) ? numbered(steps) : spoken(scribe, steps);
        return "How to " + steps[0] + "\n\n" + body;
    }

    private static String[] howto(Scribe scribe) {
        String[] steps = scribe.write("howto").split(" :: ", -1);
        scribe.keep("title", steps[0]);
        return steps;
    }

    private static String numbered(String[] steps) {
        List<String> lines = new ArrayList<>();
        for (int i = 1; i < steps.length; i++) {
            lines.add(i + ". " + steps[i]);
        }
        return String.join("\n", lines);
    }

    private static String spoken(Scribe scribe, String[] steps) {
        List<String> sentences = new ArrayList<>();
        for (int i = 1; i < steps.length; i++) {
            boolean ends = i == steps.length - 1;
            String start = scribe.write(i == 1 ? "first" : ends ? "finally" : "then");
            String step = Character.toLowerCase(steps[i].charAt(0)) + steps[i].substring(1);
            boolean marked = i == 1 || ends || scribe.random().chance(50);
            sentences.add(marked ? start + " " + step : steps[i]);
        }
        return String.join(" ", sentences);
    }

    /** A question of a reason, with the answer. */
    static String[] why(Scribe scribe) {
        return scribe.write("why").split(" => ", 2);
    }

    /** A question of a user and the assistant's answer. */
    static List<Conversation.Message> exchange(Scribe scribe) {
        return switch (scribe.random().weighted(50, 18, 17, 15)) {
            case 0 -> {
                Relation relation = scribe.random()
                        .of(scribe.book().relations().stream()
                                .filter(Relation::isAsked)
                                .toList());
                RelationSkill.keep(scribe, scribe.of(relation.facts()));
                yield pair(scribe.write(relation.ask()), scribe.write(relation.tell()));
            }
            case 1 -> {
                String[] why = why(scribe);
                yield pair(why[0], why[1].strip());
            }
            case 2 -> {
                String[] entry = definition(scribe);
                scribe.keep("word", entry[0]);
                yield pair(
                        scribe.write("ask-definition"),
                        "\"" + English.capital(entry[0]) + "\" means " + entry[1] + ".");
            }
            default -> {
                String[] steps = howto(scribe);
                yield pair(
                        scribe.write("ask-howto"),
                        scribe.random().chance(50) ? numbered(steps) : spoken(scribe, steps));
            }
        };
    }

    private static List<Conversation.Message> pair(String question, String answer) {
        return List.of(Conversation.user(question), Conversation.assistant(answer));
    }
}
