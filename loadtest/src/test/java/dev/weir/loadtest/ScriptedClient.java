package dev.weir.loadtest;

/**
 * A server in virtual time: answers each request with a first delta after a while, then deltas at an even pace, then
 * the usage and the end.
 */
final class ScriptedClient implements GenerationClient {

    /** How a request is answered; {@code outputTokens} is what the usage says, -1 for no usage. */
    record Script(long firstMillis, long gapMillis, int deltas, int outputTokens, Outcome outcome) {
        static Script steady(long firstMillis, long gapMillis, int deltas) {
            return new Script(firstMillis, gapMillis, deltas, deltas, new Outcome.Done("completed"));
        }
    }

    private final LoadClock clock;
    private final Script script;
    private int generation;

    ScriptedClient(LoadClock clock, Script script) {
        this.clock = clock;
        this.script = script;
    }

    @Override
    public void generate(String body, AnswerListener listener) {
        int mine = ++generation;
        listener.sent(clock.nanoTime(), 0);
        long at = script.firstMillis();
        for (int i = 0; i < script.deltas(); i++) {
            later(mine, at + i * script.gapMillis(), () -> listener.delta(clock.nanoTime()));
        }
        later(mine, at + Math.max(0, script.deltas() - 1) * script.gapMillis(), () -> {
            listener.usage(7, script.outputTokens());
            listener.ended(clock.nanoTime(), script.outcome());
        });
    }

    private void later(int mine, long millis, Runnable action) {
        clock.schedule(millis * 1_000_000, () -> {
            if (mine == generation) {
                action.run();
            }
        });
    }

    @Override
    public void abort() {
        generation++;
    }
}
