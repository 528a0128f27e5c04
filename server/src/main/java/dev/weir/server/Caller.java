package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Who asks: the holder of an API key, or anybody where no keys are asked for. Lives as long as its key stands in the key
 * file, whatever else changes there, and keeps count of what the key has used. Any thread; takes no lock.
 */
final class Caller {
    /** Everybody, where no keys are asked for. */
    static final Caller ANYONE = new Caller(ApiKey.NONE, () -> 0);

    private final byte[] hash;
    private final LongSupplier clockMillis;
    private final AtomicReference<Quota> quota = new AtomicReference<>(Quota.UNUSED);
    private volatile ApiKey key;
    private volatile boolean isRevoked;

    /** The holder of a key; the clock only has to go forward. */
    Caller(ApiKey key, LongSupplier clockMillis) {
        this.key = key;
        this.clockMillis = clockMillis;
        hash = key.hash();
    }

    /** The SHA-256 of the key. Not to be changed. */
    byte[] hash() {
        return hash;
    }

    /** The same in hexadecimal digits. */
    String sha256() {
        return key.sha256();
    }

    /** Whose share of the model the requests use. */
    String tenant() {
        return key.owner();
    }

    /** Whether the key is still good. */
    boolean isValid() {
        return !isRevoked && !isExpired();
    }

    /** Refuses a key that was good once. */
    void check() {
        if (!isValid()) {
            ApiKey now = key;
            throw Authentication.refused("The API key of " + now.name()
                    + (isRevoked ? " was revoked" : " expired; its last day was " + now.expires())
                    + ". Ask whoever runs this server for another.");
        }
    }

    /** Refuses a model that the key is not for. */
    void checkModel(String model) {
        ApiKey now = key;
        if (!now.models().isEmpty() && !now.models().contains(model)) {
            throw new ProtocolException(ApiError.refused(
                    403,
                    "model_not_found",
                    "The API key of " + now.name() + " does not have access to model \"" + model + "\"."));
        }
    }

    /** Refuses a page that the key is not for; {@code origin} is null for programs that are no browser. */
    void checkOrigin(@Nullable String origin) {
        ApiKey now = key;
        WebOrigin page = origin == null ? null : WebOrigin.parse(origin);
        boolean isAllowed = page != null && now.origins().contains(page.toString());
        if (origin != null && !now.origins().isEmpty() && !isAllowed) {
            throw new ProtocolException(ApiError.refused(
                    403,
                    "origin_not_allowed",
                    "The API key of " + now.name()
                            + " is not for pages of this origin; whoever made it chose others."));
        }
    }

    /**
     * Begins a request.
     *
     * @throws ProtocolException 401 if the key is no longer good
     * @throws RetryLaterException 429 if the key has used up its share for now
     */
    Permit admit() {
        check();
        ApiKey now = key;
        quota.updateAndGet(used -> used.enter(now.name(), now.limits(), clockMillis.getAsLong()));
        return new Permit(this);
    }

    /** Sets tokens aside and says how many it has to give back later. */
    int reserve(int tokens) {
        ApiKey now = key;
        quota.updateAndGet(used -> used.reserve(now.name(), now.limits(), tokens, clockMillis.getAsLong()));
        return now.limits().tokensPerMinute() == 0 ? 0 : tokens;
    }

    /** Ends a request. */
    void leave(int unusedTokens) {
        quota.updateAndGet(used -> used.leave(unusedTokens));
    }

    /** What is left, as headers of an answer. */
    Map<String, String> limitHeaders() {
        return quota.get().headers(key.limits(), clockMillis.getAsLong());
    }

    /** The key file now says this of the key. */
    void changeTo(ApiKey changed) {
        key = changed;
    }

    /** The key has gone from the key file, for good. */
    void revoke() {
        isRevoked = true;
    }

    private boolean isExpired() {
        LocalDate last = key.expires();
        return last != null && LocalDate.now(ZoneOffset.UTC).isAfter(last);
    }
}
