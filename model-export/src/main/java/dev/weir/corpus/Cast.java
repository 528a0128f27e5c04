package dev.weir.corpus;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Makes up the people of one document, each with a name of their own. Owned by one thread. */
final class Cast {
    private final Lexicon lexicon;
    private final CorpusRandom random;
    private final CorpusSide side;
    private final boolean animals;
    private final Set<String> names = new HashSet<>();

    Cast(Lexicon lexicon, CorpusRandom random, CorpusSide side) {
        this.lexicon = lexicon;
        this.random = random;
        this.side = side;
        this.animals = random.chance(22);
    }

    /**
     * Somebody new.
     *
     * @param role {@code child}, which in a document about animals is a young animal; {@code kid}, {@code girl} or {@code boy},
     *     who are always people; {@code creature}; {@code elder}, of the family; {@code neighbour}, with a profession; {@code
     *     grown-up}, known by the first name
     * @throws IllegalArgumentException if there is no such role
     */
    Person person(String role) {
        boolean female = random.chance(50);
        return switch (role) {
            case "child" -> animals ? creature(female) : kid(female);
            case "kid" -> kid(female);
            case "girl" -> kid(true);
            case "boy" -> kid(false);
            case "creature" -> creature(female);
            case "grown-up" -> new Person(name(female), female, female ? "woman" : "man");
            case "elder" -> elder(female);
            case "neighbour" -> {
                String title = female ? random.chance(60) ? "Mrs." : "Ms." : "Mr.";
                yield new Person(title + " " + fresh("surname"), female, word("profession"));
            }
            default -> throw new IllegalArgumentException("there is no list, rule or role " + role);
        };
    }

    private Person kid(boolean female) {
        return new Person(name(female), female, female ? "girl" : "boy");
    }

    private Person creature(boolean female) {
        return new Person(name(female), female, word("story-animal"));
    }

    private Person elder(boolean female) {
        boolean grand = random.chance(65);
        String title;
        if (grand) {
            title = female ? random.chance(75) ? "Grandma" : "Granny" : random.chance(75) ? "Grandpa" : "Grandad";
        } else {
            title = female ? "Aunt" : "Uncle";
        }
        String kind = grand ? female ? "grandmother" : "grandfather" : female ? "aunt" : "uncle";
        return new Person(title + " " + name(female), female, kind);
    }

    /** A first name that nobody in the document has yet. */
    String name(boolean female) {
        return fresh(female ? "girl-name" : "boy-name");
    }

    private String fresh(String list) {
        List<Term> words = lexicon.words(list, side);
        String name = random.of(words).base();
        for (int i = 0; i < 100 && !names.add(name); i++) {
            name = random.of(words).base();
        }
        return name;
    }

    private String word(String list) {
        return random.of(lexicon.words(list, side)).base();
    }
}
