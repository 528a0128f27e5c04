package dev.weir.engine;

import org.reactivestreams.Subscription;

/** What {@link Engine#generate} gives its subscribers. Any thread. */
public interface GenerationSubscription extends Subscription {
    /**
     * Says whether anybody reads what comes; at first somebody does. What nobody reads is computed, as demand allows, only while
     * nothing else is, and takes no room in the queue from others.
     */
    void away(boolean isAway);
}
