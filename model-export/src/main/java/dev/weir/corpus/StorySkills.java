package dev.weir.corpus;

import java.util.ArrayList;
import java.util.List;

/** Questions about a story that was just read. Static functions; any thread. */
final class StorySkills {
    /** Longer stories do not fit the context of a small model together with a question. */
    private static final int MOST_CHARACTERS = 1700;

    private StorySkills() {}

    static List<Skill> all() {
        return List.of(new AboutStory(), new WhereIsIt());
    }

    private record AboutStory() implements Skill {
        @Override
        public String name() {
            return "story-question";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            while (true) {
                Story story = StoryTeller.tellToAsk(scribe);
                if (story.text().length() <= MOST_CHARACTERS) {
                    Story.Question question = scribe.random().of(story.questions());
                    String text = scribe.write("read-this") + "\n\n" + story.text() + "\n\n" + question.question() + " "
                            + scribe.write("answer-briefly");
                    return Exercise.of(
                            text, question.answer(), story.plot() + " " + question.template() + story.text());
                }
            }
        }
    }

    /** People go from room to room and carry a thing along. */
    private record WhereIsIt() implements Skill {
        @Override
        public String name() {
            return "where-is-it";
        }

        @Override
        public Exercise exercise(Scribe scribe) {
            CorpusRandom random = scribe.random();
            List<Person> people = new ArrayList<>();
            for (int i = 0; i < random.between(2, 3); i++) {
                people.add(scribe.cast().person("kid"));
            }
            Term thing = scribe.draw("small-thing");
            scribe.keep("thing", thing);
            Term[] places = new Term[people.size()];
            List<String> sentences = new ArrayList<>();
            for (int i = 0; i < people.size(); i++) {
                places[i] = go(scribe, people.get(i), sentences);
            }
            int holder = random.below(people.size());
            scribe.keep("who", people.get(holder));
            sentences.add(scribe.write("takes-thing"));
            Term lies = places[holder];
            boolean held = true;
            int moves = random.between(2, 5);
            for (int i = 0; i < moves; i++) {
                int mover = random.below(people.size());
                if (held && mover == holder && random.chance(35)) {
                    scribe.keep("who", people.get(holder));
                    sentences.add(scribe.write("leaves-thing"));
                    held = false;
                } else {
                    places[mover] = go(scribe, people.get(mover), sentences);
                    if (held && mover == holder) {
                        lies = places[mover];
                    }
                }
            }
            Word place = (Word) lies;
            int other = random.below(people.size());
            boolean askPerson = random.chance(30);
            scribe.keep("who", people.get(other));
            String question = scribe.write(askPerson ? "ask-where-who" : "ask-where-thing");
            String answer = askPerson ? places[other].base() : place.base();
            String text = String.join(" ", sentences);
            if (!scribe.side().admits(name(), text)) {
                return exercise(scribe.another());
            }
            return Exercise.of(text + " " + question, answer, text);
        }

        private static Term go(Scribe scribe, Person who, List<String> sentences) {
            Term place = scribe.book()
                    .lexicon()
                    .words("room", scribe.side())
                    .get(scribe.random()
                            .below(scribe.book()
                                    .lexicon()
                                    .words("room", scribe.side())
                                    .size()));
            scribe.keep("who", who);
            scribe.keep("place", place);
            sentences.add(scribe.write("goes-there"));
            return place;
        }
    }
}
