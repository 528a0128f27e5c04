package dev.weir.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** One committed step in Java Flight Recorder: what it computed and where its time went. Costs nothing while nobody records. */
@Name("weir.Step")
@Label("Engine Step")
@Category("Weir")
@Description("One step of the engine: plan, run, sample, commit")
@StackTrace(false)
final class StepEvent extends Event {
    @Label("Number")
    long number;

    @Label("Decoded Tokens")
    int decodeTokens;

    @Label("Prefilled Tokens")
    int prefillTokens;

    @Label("Idle Rows")
    int idleRows;

    @Label("Drafted Tokens")
    int draftedTokens;

    @Label("Accepted Tokens")
    int acceptedTokens;

    @Label("Waiting Requests")
    int waiting;

    @Label("Plan")
    @Timespan(Timespan.NANOSECONDS)
    long plan;

    @Label("Run")
    @Description("In the model")
    @Timespan(Timespan.NANOSECONDS)
    long run;

    @Label("Sample")
    @Timespan(Timespan.NANOSECONDS)
    long sample;

    @Label("Commit")
    @Description("The books and the readers, without sampling")
    @Timespan(Timespan.NANOSECONDS)
    long commit;

    /** Fills in a step's numbers and records it. */
    void record(long stepNumber, EngineListener.StepStats stats, int waitingRequests) {
        number = stepNumber;
        decodeTokens = stats.decodeTokens();
        prefillTokens = stats.prefillTokens();
        idleRows = stats.idleRows();
        draftedTokens = stats.draftedTokens();
        acceptedTokens = stats.acceptedTokens();
        waiting = waitingRequests;
        plan = stats.planNanos();
        run = stats.runNanos();
        sample = stats.sampleNanos();
        commit = stats.commitNanos() - stats.sampleNanos();
        commit();
    }
}
