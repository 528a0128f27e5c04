package dev.weir.corpus;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * A list divided into what is trained on and what is held out. Immutable; any thread.
 *
 * @param all both sides together
 */
record Divided<T>(List<T> all, List<T> training, List<T> heldOut) {

    /**
     * Divides a list as {@link CorpusSide} says; a list of which that leaves a side empty gives it one member.
     *
     * @throws IllegalArgumentException if there are fewer than two members
     */
    static <T> Divided<T> of(String domain, List<T> all, Function<T, String> key) {
        if (all.size() < 2) {
            throw new IllegalArgumentException(domain + " has too few members to hold one out");
        }
        List<T> training = new ArrayList<>();
        List<T> heldOut = new ArrayList<>();
        for (T member : all) {
            (CorpusSide.isHeldOut(domain, key.apply(member)) ? heldOut : training).add(member);
        }
        Comparator<T> byRank = Comparator.comparingLong(member -> CorpusSide.rank(domain, key.apply(member)));
        if (heldOut.isEmpty()) {
            move(training, heldOut, byRank);
        } else if (training.isEmpty()) {
            move(heldOut, training, byRank);
        }
        return new Divided<>(List.copyOf(all), List.copyOf(training), List.copyOf(heldOut));
    }

    private static <T> void move(List<T> from, List<T> to, Comparator<T> order) {
        T least = from.stream().min(order).orElseThrow();
        from.remove(least);
        to.add(least);
    }

    /** A list that both sides use. */
    static <T> Divided<T> shared(List<T> all) {
        return new Divided<>(all, all, all);
    }

    /** Several lists as one. */
    static <T> Divided<T> union(List<Divided<T>> parts) {
        return new Divided<>(
                parts.stream().flatMap(part -> part.all.stream()).distinct().toList(),
                parts.stream()
                        .flatMap(part -> part.training.stream())
                        .distinct()
                        .toList(),
                parts.stream().flatMap(part -> part.heldOut.stream()).distinct().toList());
    }

    /** The part of one side. */
    List<T> of(CorpusSide side) {
        return side == CorpusSide.TRAINING ? training : heldOut;
    }
}
