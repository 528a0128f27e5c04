package dev.weir.corpus;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Who has what and who is where, while a story goes on. Owned by one thread. */
final class StoryState {
    private final Map<String, String> holders = new HashMap<>();
    private final Map<String, String> places = new HashMap<>();

    /**
     * Brings about what the clause says, or checks it.
     *
     * @throws IllegalStateException if the clause asks for what is not so
     */
    void apply(StoryPlot.Clause clause) {
        boolean has = clause.verb() == StoryPlot.Verb.HAS;
        if (clause.isNeeded()) {
            @Nullable String found = has ? holders.get(clause.object()) : place(clause.subject());
            if (!Objects.equals(found, has ? clause.subject() : clause.object())) {
                throw new IllegalStateException(clause + " is not so: " + this);
            }
        } else if (has) {
            holders.put(clause.object(), clause.subject());
            places.remove(clause.object());
        } else {
            places.put(clause.subject(), clause.object());
            holders.remove(clause.subject());
        }
    }

    /** Where somebody or something is; what is held is where its holder is. */
    @Nullable
    String place(String subject) {
        @Nullable String holder = holders.get(subject);
        return places.get(holder == null ? subject : holder);
    }

    @Override
    public String toString() {
        return "holders " + holders + ", places " + places;
    }
}
