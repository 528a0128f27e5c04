package dev.weir.server;

import dev.weir.server.ApiKey.Limits;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What a key may still do. Immutable; time is a parameter. A change that the limits forbid throws and changes nothing.
 *
 * @param requests requests that may still begin
 * @param tokens tokens that may still be asked for
 * @param running requests that have not ended
 */
record Quota(TokenBucket requests, TokenBucket tokens, int running) {
    /** Of a key that has not been used. */
    static final Quota UNUSED = new Quota(TokenBucket.FULL, TokenBucket.FULL, 0);

    private static final int MILLIS_PER_SECOND = 1000;
    private static final long MILLIS_PER_MINUTE = 60_000;

    /**
     * Begins a request.
     *
     * @throws RetryLaterException if too many run, or too many began within the last minute
     */
    Quota enter(String name, Limits limits, long nowMillis) {
        if (limits.concurrent() > 0 && running >= limits.concurrent()) {
            throw RetryLaterException.overLimit(
                    "requests",
                    "Rate limit reached for " + name + " on concurrent requests: Limit " + limits.concurrent()
                            + ", Used " + running + ", Requested 1. Please try again when one has ended.",
                    1);
        }
        int perMinute = limits.requestsPerMinute();
        if (perMinute == 0) {
            return new Quota(requests, tokens, running + 1);
        }
        TokenBucket left = requests.refill(perMinute, nowMillis);
        if (left.millisUntil(1, perMinute) > 0) {
            throw reached("requests", "requests per min (RPM)", name, left, perMinute, 1);
        }
        return new Quota(left.take(1), tokens, running + 1);
    }

    /**
     * Sets tokens aside for a request that runs.
     *
     * @throws RetryLaterException if they are not there now, or never will be because they are more than a minute's worth
     */
    Quota reserve(String name, Limits limits, int amount, long nowMillis) {
        int perMinute = limits.tokensPerMinute();
        if (perMinute == 0) {
            return this;
        }
        if (amount > perMinute) {
            throw RetryLaterException.overLimit(
                    "tokens",
                    "Request too large for " + name + " on tokens per min (TPM): Limit " + perMinute + ", Requested "
                            + amount + ". The prompt or the greatest length of the answer must be reduced.",
                    0);
        }
        TokenBucket left = tokens.refill(perMinute, nowMillis);
        if (left.millisUntil(amount, perMinute) > 0) {
            throw reached("tokens", "tokens per min (TPM)", name, left, perMinute, amount);
        }
        return new Quota(requests, left.take(amount), running);
    }

    /** Ends a request, which used less than was set aside for it. */
    Quota leave(int unusedTokens) {
        return new Quota(requests, tokens.give(unusedTokens), running - 1);
    }

    /** The headers in which OpenAI tells what is left; none of what is not limited. */
    Map<String, String> headers(Limits limits, long nowMillis) {
        Map<String, String> headers = new LinkedHashMap<>();
        put(headers, "requests", limits.requestsPerMinute(), requests, nowMillis);
        put(headers, "tokens", limits.tokensPerMinute(), tokens, nowMillis);
        return headers;
    }

    private static void put(Map<String, String> headers, String what, int perMinute, TokenBucket bucket, long now) {
        if (perMinute > 0) {
            TokenBucket left = bucket.refill(perMinute, now);
            headers.put("x-ratelimit-limit-" + what, Integer.toString(perMinute));
            headers.put("x-ratelimit-remaining-" + what, Integer.toString(left.remaining()));
            headers.put("x-ratelimit-reset-" + what, duration(left.millisUntil(perMinute, perMinute)));
        }
    }

    private static RetryLaterException reached(
            String type, String limit, String name, TokenBucket left, int perMinute, int requested) {
        long millis = left.millisUntil(requested, perMinute);
        return RetryLaterException.overLimit(
                type,
                "Rate limit reached for " + name + " on " + limit + ": Limit " + perMinute + ", Used "
                        + (perMinute - left.remaining()) + ", Requested " + requested + ". Please try again in "
                        + duration(millis) + ".",
                Math.ceilDiv(millis, MILLIS_PER_SECOND));
    }

    /** A time as OpenAI writes it, such as 20ms, 1.5s or 1m0s. */
    static String duration(long millis) {
        if (millis > 0 && millis < MILLIS_PER_SECOND) {
            return millis + "ms";
        }
        long minutes = millis / MILLIS_PER_MINUTE;
        double seconds = (double) (millis % MILLIS_PER_MINUTE) / MILLIS_PER_SECOND;
        String shown = String.format(Locale.ROOT, "%.3f", seconds).replaceFirst("\\.?0+$", "");
        return (minutes > 0 ? minutes + "m" : "") + (shown.isEmpty() ? "0" : shown) + "s";
    }
}
