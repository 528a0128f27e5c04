package dev.weir.engine;

import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One ask for a generation: prompt tokens in, tokens out. Immutable by contract (the prompt array is not copied and must
 * not be changed); any thread.
 *
 * @param id the caller's name for it, used in errors and events
 * @param promptTokens token ids, at least one, each within the vocabulary
 * @param sampling how tokens are chosen and when the sequence ends
 * @param constraint makes the constraint of each generation, as a constraint is one generation's own; null for none
 * @param tenant who it is counted for: while several have requests waiting, each gets the same service
 * @param priority lower numbers go before others of the same tenant
 * @param timeLimit within which the whole answer is of use, from the request on; null for any time
 */
@SuppressWarnings("ArrayRecordComponent") // a prompt is thousands of ints, read and never compared
public record GenerationRequest(
        String id,
        int[] promptTokens,
        SamplingParams sampling,
        @Nullable Supplier<? extends TokenConstraint> constraint,
        String tenant,
        int priority,
        @Nullable Duration timeLimit) {
    /** The tenant of requests that name none. */
    public static final String NO_TENANT = "";

    private static final Duration LONGEST_TIME_LIMIT = Duration.ofDays(365);

    public GenerationRequest {
        if (promptTokens.length == 0) {
            throw new IllegalArgumentException("the prompt is empty but must hold at least one token");
        }
        if (timeLimit != null && (!timeLimit.isPositive() || timeLimit.compareTo(LONGEST_TIME_LIMIT) > 0)) {
            throw new IllegalArgumentException(
                    "the time limit is " + timeLimit + " but must be above 0 and at most " + LONGEST_TIME_LIMIT);
        }
    }

    /** A request whose tokens are chosen freely, of {@link #NO_TENANT} and priority 0. */
    public GenerationRequest(String id, int[] promptTokens, SamplingParams sampling) {
        this(id, promptTokens, sampling, null, NO_TENANT, 0, null);
    }

    /** The same with other sampling parameters. */
    public GenerationRequest with(SamplingParams newSampling) {
        return new GenerationRequest(id, promptTokens, newSampling, constraint, tenant, priority, timeLimit);
    }

    /** The same with a constraint. */
    public GenerationRequest constrained(Supplier<? extends TokenConstraint> newConstraint) {
        return new GenerationRequest(id, promptTokens, sampling, newConstraint, tenant, priority, timeLimit);
    }

    /** The same for a tenant. */
    public GenerationRequest of(String newTenant, int newPriority) {
        return new GenerationRequest(id, promptTokens, sampling, constraint, newTenant, newPriority, timeLimit);
    }

    /** The same, to be answered within a time; null for any time. */
    public GenerationRequest within(@Nullable Duration newTimeLimit) {
        return new GenerationRequest(id, promptTokens, sampling, constraint, tenant, priority, newTimeLimit);
    }
}
