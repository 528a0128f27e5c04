package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Text from a model in training, to look at. Recomputes the whole text for every token, which a glance can afford; serving is
 * what the engine is for. Owned by the model's thread.
 */
final class TextSampler {
    /** How samples are drawn where nobody says otherwise. */
    static final double TEMPERATURE = 0.8;

    static final double TOP_P = 0.95;

    private final GptModel model;
    private final Tokenizer tokenizer;

    TextSampler(GptModel model, Tokenizer tokenizer) {
        this.model = model;
        this.tokenizer = tokenizer;
    }

    /**
     * Continues a prompt by up to that many tokens, towards its beginning if the model reads right to left. Returns the whole
     * text.
     *
     * @param temperature above 0; below 1 prefers likely tokens
     * @param topP the likeliest tokens whose shares add up to this are chosen from
     */
    String sample(String prompt, int tokens, double temperature, double topP, long seed) {
        GptConfig config = model.config();
        SplittableRandom random = new SplittableRandom(seed);
        OptionalInt eos = tokenizer.eosId();
        List<Integer> ids = new ArrayList<>();
        for (int id : config.direction().order(tokenizer.encode(prompt, true), eos)) {
            ids.add(id);
        }
        if (ids.isEmpty()) {
            throw new IllegalArgumentException("the prompt is empty");
        }
        int promptLength = ids.size();
        while (ids.size() < promptLength + tokens) {
            List<Integer> window = ids.subList(Math.max(0, ids.size() - config.context()), ids.size());
            int next = choose(lastLogits(window), temperature, topP, random);
            if (eos.isPresent() && next == eos.getAsInt()) {
                break;
            }
            ids.add(next);
        }
        int[] text = ids.stream().mapToInt(Integer::intValue).toArray();
        return tokenizer.decode(config.direction().order(text, eos), true);
    }

    private float[] lastLogits(List<Integer> window) {
        long[] ids = window.stream().mapToLong(Integer::longValue).toArray();
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            Tensor logits = model.forward(Torch.longs(ids, 1, ids.length), Dropout.NONE); // [1, T, V]
            return Torch.read(logits.select(1, ids.length - 1L).contiguous());
        }
    }

    private static int choose(float[] logits, double temperature, double topP, SplittableRandom random) {
        Integer[] byRank = new Integer[logits.length];
        Arrays.setAll(byRank, i -> i);
        Arrays.sort(byRank, (a, b) -> Float.compare(logits[b], logits[a]));
        double[] shares = new double[logits.length];
        double sum = 0;
        for (int rank = 0; rank < shares.length; rank++) {
            shares[rank] = Math.exp((logits[byRank[rank]] - logits[byRank[0]]) / temperature);
            sum += shares[rank];
        }
        double kept = 0;
        int nucleus = 0;
        while (nucleus < shares.length && (nucleus == 0 || kept < topP * sum)) {
            kept += shares[nucleus++];
        }
        double point = random.nextDouble() * kept;
        for (int rank = 0; rank < nucleus; rank++) {
            point -= shares[rank];
            if (point < 0) {
                return byRank[rank];
            }
        }
        return byRank[nucleus - 1];
    }
}
