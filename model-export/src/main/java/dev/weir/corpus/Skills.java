package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;

/** All skills that the corpus trains and tests. Static functions; any thread. */
final class Skills {
    private Skills() {}

    static List<Skill> all(CorpusBook book) {
        List<Mapping> mappings = Mapping.all(book);
        List<Skill> skills = new ArrayList<>();
        skills.addAll(WordSkills.all(book));
        skills.addAll(SentenceSkills.all());
        skills.addAll(ListSkills.all());
        skills.addAll(NumberSkills.all());
        skills.addAll(SumSkills.all());
        for (int shots : new int[] {0, 1, 4}) {
            skills.add(new PatternSkill(shots, mappings));
        }
        skills.addAll(LabelSkills.all(book));
        skills.add(RelationSkill.of(book));
        skills.addAll(StorySkills.all());
        skills.addAll(MemorySkills.all());
        skills.addAll(ToolSkills.all());
        return List.copyOf(skills);
    }
}
