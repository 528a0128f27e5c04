package dev.weir.server;

import java.util.concurrent.CountDownLatch;

/** A process that never stops of itself once it was told to; see {@link StopSignalsTest}. */
final class StoppingProcess {
    private StoppingProcess() {}

    public static void main(String... arguments) throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            StopSignals.endAtOnce();
            System.out.println("stopping");
            try {
                never.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }));
        System.out.println("running");
        never.await();
    }
}
