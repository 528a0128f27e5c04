package dev.weir.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** A scorer that remembers what it was asked and answers by a rule. */
final class FakeScorer implements Scorer {
    final List<Window> seen = new ArrayList<>();
    private final int context;
    private final ToDoubleFunction<Window> rule;

    FakeScorer(int context, ToDoubleFunction<Window> rule) {
        this.context = context;
        this.rule = rule;
    }

    @Override
    public int context() {
        return context;
    }

    @Override
    public int vocabularySize() {
        return 257;
    }

    @Override
    public double[] score(List<Window> windows) {
        seen.addAll(windows);
        return windows.stream().mapToDouble(rule).toArray();
    }

    @Override
    public void close() {
        // nothing was opened
    }
}
