package dev.weir.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The mutable progress of one {@link GenerationRequest}. Owned by the engine thread, but for {@link #stream}, which any
 * thread may ask for demand; while a step's tokens are chosen, by the thread that chooses its own ({@link StepSampler}).
 *
 * <p>Its tokens are the prompt followed by what was generated; {@code computedTokens} of them are in the cache. Prompt
 * tokens are computed in chunks, generated tokens one decode row at a time, always: which kernel computes a token never
 * depends on what else is running. Only a preempted sequence recomputes its generated tokens in chunks, and a model whose
 * kernels give the same bits may be asked to check guesses of them.
 *
 * <p>Whole blocks of its tokens may be copied from and into the {@link PrefixCache}, in order, as far as {@link #prefix}.
 */
final class Sequence {
    static final int NO_SLOT = -1;
    private static final int[] NONE = {};
    /** Tokens that there is room for at first, if so many may be generated. */
    private static final int FIRST_ROOM = 512;

    enum Status {
        WAITING,
        RUNNING,
        PREEMPTED,
        FINISHED
    }

    final GenerationRequest request;
    final TokenSubscription stream;
    final long arrivalNanos;
    /** Its place in the engine, for the next request once it ends; null for one that took none. */
    final Places.@Nullable Place place;

    private final int[] stopTokens;
    private final int maxGeneratedTokens;
    private final RandomGenerator random;
    private final @Nullable LogitsProcessor logitsProcessor;

    private int[] tokens;
    private int length;
    private int computedTokens;
    private int chunkedTokens;
    private int plannedTokens;
    private int cachedTokens;
    private PrefixCache.@Nullable Block prefix;
    private int prefixTokens;
    private boolean sharesPrefix = true;
    private boolean isReturning;
    private boolean isAway;
    private Status status = Status.WAITING;
    private int slot = NO_SLOT;
    private long admission;
    private @Nullable FinishReason finishReason;
    private long lastTokenNanos;
    private final PromptLookup lookup = new PromptLookup();
    private int publishedTokens;
    private List<TokenLogprobs> untoldLogprobs = List.of();

    Sequence(
            GenerationRequest request,
            TokenSubscription stream,
            ModelShape shape,
            long arrivalNanos,
            Places.@Nullable Place place) {
        SamplingParams sampling = request.sampling();
        this.request = request;
        this.stream = stream;
        this.arrivalNanos = arrivalNanos;
        this.place = place;
        tokens = request.promptTokens();
        length = tokens.length;
        publishedTokens = length;
        chunkedTokens = length;
        stopTokens = stopTokens(sampling, shape.eosTokenIds());
        maxGeneratedTokens = Math.min(sampling.maxTokens(), shape.maxTokens() - length);
        random = sampling.seed().isPresent()
                ? new SplittableRandom(sampling.seed().getAsLong())
                : new SplittableRandom();
        logitsProcessor = LogitsProcessor.of(request);
    }

    private static int[] stopTokens(SamplingParams sampling, int[] eosTokens) {
        int[] own = sampling.stopTokens();
        if (sampling.ignoreEos()) {
            return own;
        }
        int[] all = Arrays.copyOf(own, own.length + eosTokens.length);
        System.arraycopy(eosTokens, 0, all, own.length, eosTokens.length);
        return all;
    }

    Status status() {
        return status;
    }

    int slot() {
        return slot;
    }

    /** Tokens in the cache. */
    int computedTokens() {
        return computedTokens;
    }

    int generatedTokens() {
        return length - request.promptTokens().length;
    }

    /** Tokens that may still be generated. */
    int remainingTokens() {
        return maxGeneratedTokens - generatedTokens();
    }

    boolean isFinished() {
        return finishReason != null;
    }

    @Nullable
    FinishReason finishReason() {
        return finishReason;
    }

    /** Tokens that it has in the cache at most: all but the last that it may generate. */
    int mostCachedTokens() {
        return length + remainingTokens() - 1;
    }

    /** Whether chunks are still to be computed before the next decode row. */
    boolean isPrefilling() {
        return computedTokens < chunkedTokens;
    }

    RandomGenerator random() {
        return random;
    }

    /** What it does to its logits before a token is chosen; null for nothing. */
    @Nullable
    LogitsProcessor logitsProcessor() {
        return logitsProcessor;
    }

    int lastToken() {
        return tokens[length - 1];
    }

    /** Stop tokens that may not be chosen yet, because {@code minTokens} are not generated; empty when all may. */
    int[] suppressedTokens() {
        return generatedTokens() < request.sampling().minTokens() ? stopTokens : NONE;
    }

    /** When its answer is of no more use, on the clock of {@link System#nanoTime}; only of a request with a time limit. */
    long deadlineNanos() {
        return arrivalNanos + Objects.requireNonNull(request.timeLimit()).toNanos();
    }

    /**
     * Steps that it needs at least. How much of its prompt is cached shows when it gets a slot, and until then nothing of it
     * counts.
     *
     * @param mostPrefillTokens prompt tokens that a step computes or finds in the cache at most
     * @param tokensPerStep tokens that a step may add to the answer at most
     */
    int leastSteps(int mostPrefillTokens, int tokensPerStep) {
        int prefill = status == Status.RUNNING ? chunkedTokens - computedTokens : 0;
        int tokens = Math.clamp(request.sampling().minTokens() - (long) generatedTokens(), 1, remainingTokens());
        return SchedulingPolicy.leastSteps(prefill, mostPrefillTokens, Math.ceilDiv(tokens, tokensPerStep));
    }

    /** The next chunk of at most {@code chunk} tokens, ending at a multiple of it, from token {@code start} on. */
    PrefillChunk chunk(int start, int chunk) {
        return piece(start, chunk, chunk);
    }

    /** The same, cut off after about {@code most} tokens. */
    PrefillChunk piece(int start, int chunk, int most) {
        int chunkLength = SchedulingPolicy.pieceLength(start, chunkedTokens, chunk, most);
        boolean isLast = start + chunkLength == chunkedTokens;
        return new PrefillChunk(slot, tokens, start, chunkLength, isLast && generatedTokens() == 0);
    }

    /**
     * Its newest token with guesses of those after it, to compute and score in one piece; null if it has no guess.
     *
     * @param most guesses at most
     */
    @Nullable
    PrefillChunk draft(int most) {
        int room = Math.min(most, remainingTokens() - 1); // the last token of all is never computed
        if (room < 1) {
            return null;
        }
        if (length + room > tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(length + room, length + length / 2));
        }
        int guesses = lookup.propose(tokens, length, room);
        return guesses == 0 ? null : new PrefillChunk(slot, tokens, computedTokens, guesses + 1, guesses + 1);
    }

    /** Learns how many of the guesses of a draft were what was chosen then. */
    void judgeDraft(int guesses, int held) {
        lookup.judged(guesses, held);
    }

    /** Notes how many tokens the current plan computes in chunks. */
    void plan(int count) {
        plannedTokens = count;
    }

    int plannedTokens() {
        return plannedTokens;
    }

    /** Whether its chunks are more than one. */
    boolean isLong(int chunk) {
        return chunkedTokens - cachedTokens > chunk;
    }

    /** Tokens that are computed in chunks: the prompt or, after a preemption, all but the newest token. */
    int chunkedTokens() {
        return chunkedTokens;
    }

    /** The first tokens of the prompt that were found in the prefix cache rather than computed. */
    int cachedTokens() {
        return cachedTokens;
    }

    /** The last of its blocks that is known to the prefix cache; null before the first. */
    PrefixCache.@Nullable Block prefix() {
        return prefix;
    }

    /** Tokens up to the end of {@link #prefix}. */
    int prefixTokens() {
        return prefixTokens;
    }

    /** Whether blocks may still be added behind {@link #prefix}. */
    boolean sharesPrefix() {
        return sharesPrefix;
    }

    /** Whether the next block that it adds to its prefix begins at token {@code start}. */
    boolean follows(int start) {
        return sharesPrefix && prefixTokens == start;
    }

    void extendPrefix(PrefixCache.Block block, int blockTokens) {
        prefix = block;
        prefixTokens += blockTokens;
    }

    void endPrefix() {
        sharesPrefix = false;
    }

    /** What names a block in the prefix cache: its tokens, generated ones marked if it matters who computed them. */
    int[] blockKey(int start, PrefixPool pool) {
        int[] key = Arrays.copyOfRange(tokens, start, start + pool.blockTokens());
        if (!pool.decodesLikePrefill()) {
            for (int i = Math.max(0, request.promptTokens().length - start); i < key.length; i++) {
                key[i] = ~key[i];
            }
        }
        return key;
    }

    /** Tokens in the cache that others may take over. */
    int sharedTokens(PrefixPool pool) {
        return pool.decodesLikePrefill() ? computedTokens : Math.min(computedTokens, request.promptTokens().length);
    }

    /** Tokens that others may take over now or once its chunks are computed. */
    int shareableTokens(PrefixPool pool) {
        int known = Math.max(computedTokens, chunkedTokens);
        return pool.decodesLikePrefill() ? known : Math.min(known, request.promptTokens().length);
    }

    /** How many of its first tokens need not be computed if they are cached; the last one gives the scores. */
    int reusableTokens() {
        return generatedTokens() == 0 ? chunkedTokens - 1 : chunkedTokens;
    }

    /** Whether tokens that it generated are computed in a chunk up to {@code end}. */
    boolean recomputes(int end) {
        return end > request.promptTokens().length;
    }

    void assign(int newSlot) {
        slot = newSlot;
        status = Status.RUNNING;
        if (place != null) {
            place.admitted();
        }
    }

    /** Says that it has got the slot that was given out as the {@code number}th. */
    void admitted(long number) {
        admission = number;
    }

    long admission() {
        return admission;
    }

    void moveTo(int newSlot) {
        slot = newSlot;
    }

    void computed(int count) {
        computedTokens += count;
    }

    /** Notes tokens that were copied out of the prefix cache. */
    void loaded(int count) {
        computedTokens += count;
        if (!isReturning) { // else they may be its own
            cachedTokens += count;
        }
    }

    /** Appends a generated token and decides whether it was the last. */
    void append(int token, long nowNanos) {
        if (logitsProcessor != null) {
            logitsProcessor.accept(token);
        }
        if (length == tokens.length) { // as the prompt's own array is, which is never written to
            tokens = Arrays.copyOf(tokens, length + Math.min(remainingTokens(), Math.max(FIRST_ROOM, length / 2)));
        }
        tokens[length++] = token;
        lastTokenNanos = nowNanos;
        boolean isStopToken = SamplingParams.contains(stopTokens, token)
                && generatedTokens() > request.sampling().minTokens();
        if (isStopToken || (logitsProcessor != null && logitsProcessor.isComplete())) {
            finishReason = FinishReason.STOP;
        } else if (generatedTokens() == maxGeneratedTokens) {
            finishReason = FinishReason.LENGTH;
        }
    }

    /** Notes how likely the newest token was, of a sequence that asks. */
    void tell(TokenLogprobs logprobs) {
        if (untoldLogprobs.isEmpty()) {
            untoldLogprobs = List.of(logprobs);
        } else {
            List<TokenLogprobs> more = new ArrayList<>(untoldLogprobs);
            more.add(logprobs);
            untoldLogprobs = List.copyOf(more);
        }
    }

    /** Generated tokens of which the stream has not been told. */
    int untoldTokens() {
        return length - publishedTokens;
    }

    /** What the stream has not been told; it is told only once. */
    StepOutput news(StepOutputs outputs) {
        int cached = publishedTokens == request.promptTokens().length ? cachedTokens : 0;
        if (untoldTokens() == 1 && finishReason == null && cached == 0 && untoldLogprobs.isEmpty()) {
            publishedTokens = length;
            return outputs.of(lastToken());
        }
        int[] fresh = Arrays.copyOfRange(tokens, publishedTokens, length);
        publishedTokens = length;
        List<TokenLogprobs> logprobs = untoldLogprobs;
        untoldLogprobs = List.of();
        return new StepOutput(fresh, finishReason, cached, logprobs);
    }

    long lastTokenNanos() {
        return lastTokenNanos;
    }

    /** Gives up the cache; everything but the newest token is computed again when the sequence is admitted next. */
    void preempt() {
        status = Status.PREEMPTED;
        slot = NO_SLOT;
        computedTokens = 0;
        prefix = null;
        prefixTokens = 0;
        sharesPrefix = true;
        isReturning = true;
        chunkedTokens = generatedTokens() == 0 ? length : length - 1;
    }

    /** Whether it had a slot before. */
    boolean isReturning() {
        return isReturning;
    }

    /** Whether nobody reads it. */
    boolean isAway() {
        return isAway;
    }

    void setAway(boolean nowAway) {
        isAway = nowAway;
        if (place != null) {
            place.setAway(nowAway);
        }
    }

    void waitAgain() {
        status = Status.WAITING;
    }

    void finish(FinishReason reason) {
        finishReason = reason;
        status = Status.FINISHED;
        slot = NO_SLOT;
        if (place != null) {
            place.ended();
        }
    }

    @Override
    public String toString() {
        return "sequence " + request.id() + " (" + status + ", slot " + slot + ", " + computedTokens + " of " + length
                + " tokens computed)";
    }
}
