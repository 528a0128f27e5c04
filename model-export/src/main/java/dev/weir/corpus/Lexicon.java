package dev.weir.corpus;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The word lists, by name. Immutable once read; any thread.
 *
 * <pre>
 * fruit noun:                     a list and what forms its words have; names are "text"
 * apple, cherry, fig, leaf/leaves
 * city text held-out:             a ninth of its words is never trained on, in whatever they stand
 * food = fruit, vegetable         a list of lists
 * </pre>
 */
final class Lexicon {
    private final Map<String, Divided<Term>> lists = new LinkedHashMap<>();
    private final Set<String> heldOut = new HashSet<>();

    static Lexicon read(List<String> files) {
        Lexicon lexicon = new Lexicon();
        files.forEach(file -> lexicon.read("words/" + file + ".txt", CorpusResource.lines("words/" + file + ".txt")));
        for (Divided<Term> list : lexicon.lists.values()) {
            list.of(CorpusSide.HELD_OUT).forEach(word -> lexicon.heldOut.add(word.base()));
        }
        for (Divided<Term> list : lexicon.lists.values()) {
            list.of(CorpusSide.TRAINING).forEach(word -> lexicon.heldOut.remove(word.base()));
        }
        return lexicon;
    }

    private void read(String file, List<String> lines) {
        String[] header = {};
        List<Term> words = new ArrayList<>();
        for (String line : lines) {
            boolean begins = line.endsWith(":");
            if (begins || line.contains(" = ")) {
                add(file, header, words);
                words = new ArrayList<>();
                header = new String[0];
            }
            if (begins) {
                header = line.substring(0, line.length() - 1).split(" ", -1);
            } else if (line.contains(" = ")) {
                String[] sides = line.split(" = ", -1);
                List<Divided<Term>> parts =
                        Stream.of(sides[1].split(", ", -1)).map(this::list).toList();
                lists.put(sides[0], Divided.union(parts));
            } else if (!line.isEmpty()) {
                for (String item : line.split(",", -1)) {
                    if (!item.isBlank()) {
                        words.add(word(header[1], item.strip()));
                    }
                }
            }
        }
        add(file, header, words);
    }

    private void add(String file, String[] header, List<Term> words) {
        if (header.length == 0) {
            return;
        }
        boolean split = header.length == 3 && header[2].equals("held-out");
        if (header.length < 2 || (header.length == 3 && !split) || words.isEmpty()) {
            throw new IllegalArgumentException(
                    file + ": the list \"" + String.join(" ", header) + "\" is not understood");
        }
        Divided<Term> list = split ? Divided.of(header[0], words, Term::base) : Divided.shared(List.copyOf(words));
        if (lists.put(header[0], list) != null) {
            throw new IllegalArgumentException(file + ": there are two lists " + header[0]);
        }
    }

    private static Term word(String kind, String item) {
        if (kind.equals("text")) {
            return new Text(item);
        }
        List<String> forms = List.of(item.split("/", -1));
        return new Word(
                forms.getFirst(),
                switch (kind) {
                    case "noun" -> Word.Kind.NOUN;
                    case "mass" -> Word.Kind.MASS;
                    case "verb" -> Word.Kind.VERB;
                    case "adjective" -> Word.Kind.ADJECTIVE;
                    case "place" -> Word.Kind.PLACE;
                    default -> throw new IllegalArgumentException("there is no kind of word \"" + kind + "\"");
                },
                forms.subList(1, forms.size()));
    }

    List<String> names() {
        return List.copyOf(lists.keySet());
    }

    boolean has(String name) {
        return lists.containsKey(name);
    }

    List<Term> all(String name) {
        return list(name).all();
    }

    /** The words of a list that a side may use. */
    List<Term> words(String name, CorpusSide side) {
        return list(name).of(side);
    }

    /** Whether a word is in some list, but never to be trained on. */
    boolean isHeldOut(String word) {
        return heldOut.contains(word);
    }

    /** The plain forms of a list's words that are one lower-case word of {@code least} to {@code most} letters. */
    List<String> plain(String name, int least, int most) {
        return all(name).stream()
                .map(Term::base)
                .filter(word -> word.length() >= least && word.length() <= most)
                .filter(word -> word.chars().allMatch(c -> c >= 'a' && c <= 'z'))
                .distinct()
                .toList();
    }

    private Divided<Term> list(String name) {
        @Nullable Divided<Term> list = lists.get(name);
        if (list == null) {
            throw new IllegalArgumentException("there is no word list " + name);
        }
        return list;
    }
}
