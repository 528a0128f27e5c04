package dev.weir.grammar;

/** How characters are written: as they are, or inside a JSON string. */
interface Spelling {
    /** One character of a set. */
    Expression of(CodePoints set);

    /** As they are, in UTF-8. */
    static Spelling plain(Expressions make) {
        return set -> make.choice(set.ranges().stream()
                .map(range -> Utf8.range(make, range.from(), range.to()))
                .toList());
    }
}
