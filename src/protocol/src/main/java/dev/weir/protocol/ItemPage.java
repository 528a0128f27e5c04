package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of a list of items. Immutable; any thread.
 *
 * @param hasMore whether others follow
 */
public record ItemPage(List<ConversationItem> items, boolean hasMore) {
    private static final int USUAL_LIMIT = 20;
    private static final int MOST = 100;

    public ItemPage {
        items = List.copyOf(items);
    }

    /**
     * The part that a request asks for, by the parameters of its URL; each may be null.
     *
     * @param order {@code asc}, or {@code desc} for the newest first, which is what null means
     * @param limit how many, 1 to 100; null means 20
     * @param after name of the item after which to begin
     * @throws ProtocolException naming the parameter
     */
    public static ItemPage of(
            List<ConversationItem> all, @Nullable String order, @Nullable String limit, @Nullable String after) {
        if (order != null && !order.equals("asc") && !order.equals("desc")) {
            throw invalid("order", order, "asc or desc");
        }
        List<ConversationItem> ordered = "asc".equals(order) ? all : all.reversed();
        int most = USUAL_LIMIT;
        if (limit != null) {
            most = limit.matches("\\d{1,3}") ? Integer.parseInt(limit) : 0;
            if (most < 1 || most > MOST) {
                throw invalid("limit", limit, "a number from 1 to " + MOST);
            }
        }
        int begin = 0;
        if (after != null) {
            begin = ordered.stream().map(ConversationItem::id).toList().indexOf(after) + 1;
            if (begin == 0) {
                throw invalid("after", after, "the id of an item of this list");
            }
        }
        int end = Math.min(ordered.size(), begin + most);
        return new ItemPage(ordered.subList(begin, end), end < ordered.size());
    }

    private static ProtocolException invalid(String name, String value, String expected) {
        return ProtocolException.invalid(
                "invalid_value", name, name + " is \"" + Json.abbreviate(value) + "\" but must be " + expected);
    }
}
