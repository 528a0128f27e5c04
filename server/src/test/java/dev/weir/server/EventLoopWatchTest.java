package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Vertx;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class EventLoopWatchTest {
    @Test
    void eventLoopThatWaitsIsFound() throws Exception {
        EventLoopWatch watch = new EventLoopWatch();
        Vertx vertx = Vertx.vertx(watch.options());
        CountDownLatch never = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        vertx.runOnContext(_ -> {
            try {
                never.await(400, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            done.countDown();
        });
        done.await();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        assertThatThrownBy(watch::close).isInstanceOf(AssertionError.class).hasMessageContaining("TIMED_WAITING");
    }
}
