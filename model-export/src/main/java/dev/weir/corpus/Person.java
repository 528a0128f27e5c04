package dev.weir.corpus;

/**
 * Somebody in a story or a dialogue. Immutable; any thread.
 *
 * @param base the name by which others speak of the person
 * @param isFemale chooses between "she" and "he"
 * @param kind what the person is: "girl", "baker", "fox"
 */
record Person(String base, boolean isFemale, String kind) implements Term {
    @Override
    public String form(String name) {
        return switch (name) {
            case "they" -> isFemale ? "she" : "he";
            case "They" -> isFemale ? "She" : "He";
            case "them" -> isFemale ? "her" : "him";
            case "their" -> isFemale ? "her" : "his";
            case "Their" -> isFemale ? "Her" : "His";
            case "theirs" -> isFemale ? "hers" : "his";
            case "self" -> isFemale ? "herself" : "himself";
            case "kind" -> kind;
            case "akind" -> English.article(kind) + " " + kind;
            case "child" -> isFemale ? "daughter" : "son";
            default -> Term.super.form(name);
        };
    }
}
