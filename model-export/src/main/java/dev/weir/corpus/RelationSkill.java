package dev.weir.corpus;

import java.util.List;

/** Questions about what is so in the world, to be answered in a word or two. Immutable; any thread. */
record RelationSkill(List<Relation> relations) implements Skill {
    static RelationSkill of(CorpusBook book) {
        return new RelationSkill(
                book.relations().stream().filter(Relation::isAsked).toList());
    }

    @Override
    public String name() {
        return "fact";
    }

    @Override
    public Exercise exercise(Scribe scribe) {
        Relation relation = scribe.random().of(relations);
        Relation.Fact fact = scribe.of(relation.facts());
        keep(scribe, fact);
        String question = scribe.write(relation.ask());
        return Exercise.of(
                question + " " + scribe.write("answer-briefly"),
                fact.y().base(),
                relation.name() + " " + fact.x().base());
    }

    static void keep(Scribe scribe, Relation.Fact fact) {
        scribe.keep("x", fact.x());
        scribe.keep("y", fact.y());
    }

    /** A question about the thing of that name. */
    static String ask(Scribe scribe, Relation relation, String x) {
        Relation.Fact fact = relation.facts().all().stream()
                .filter(candidate -> candidate.x().base().equals(x))
                .findFirst()
                .orElseThrow();
        keep(scribe, fact);
        return scribe.write(relation.ask());
    }
}
