package dev.weir.corpus;

import java.util.ArrayDeque;
import java.util.Deque;

/** Who was spoken of last, to tell whether "she" is clear. Owned by one thread. */
final class Mentions {
    /** A pronoun reaches back over so many mentions. */
    private static final int REACH = 5;

    private final Deque<Person> latest = new ArrayDeque<>();

    void add(Person person) {
        latest.addFirst(person);
        if (latest.size() > REACH) {
            latest.removeLast();
        }
    }

    /** Whether the person was among the latest and nobody else is called by the same pronoun. */
    boolean isClear(Person person) {
        boolean known = false;
        for (Person other : latest) {
            if (other.equals(person)) {
                known = true;
            } else if (other.isFemale() == person.isFemale()) {
                return false;
            }
        }
        return known;
    }

    void clear() {
        latest.clear();
    }
}
